"""O1: what operators do to a running stack, and what befalls it, under load."""

import re
import shutil
import time
from pathlib import Path

from compose import IMAGE, ROOT, CheckFailed, Project, docker, inspect, memory_in_use, wait_healthy
from journey import Connected
from load import Answers, load

from tests.replicas import older_release

UPGRADE = ROOT / "docs/runbooks/upgrade.md"
LIMIT = 256 * 2**20
MEMORY_LIMITED = ("api", "upkeep", "web")


def rolling_restart(compose: Project, connected: Connected) -> Answers:
    """Replace both replicas of the API by the commands of the runbook; no request fails.

    Without the build, which was done, and `web`, which is the only one.
    """
    (commands,) = re.findall(
        r"```sh\ndocker compose build\n(.+?)```", UPGRADE.read_text(), re.DOTALL
    )
    commands = commands.replace("--scale api=2", "--scale api=4").replace(" upkeep web", " upkeep")
    before = compose.containers("api")
    with load(connected) as answers:
        compose.follow(commands)
    if len(compose.containers("api")) != 2 or {*before} & {*compose.containers("api")}:
        raise CheckFailed("The runbook's commands did not replace both replicas.")
    answers.require_none_failed()
    return answers


def kill_one(compose: Project, connected: Connected) -> Answers:
    """Kill one of two replicas with SIGKILL; nginx asks the other, and no request fails.

    But for a response of Xero that the replica was in the middle of sending: one caller calls Xero.
    """
    victim = compose.containers("api")[0]
    with load(connected) as answers:
        time.sleep(3)
        docker("kill", "--signal", "KILL", victim)
        time.sleep(10)
        docker("start", victim)
        wait_healthy([victim])
    answers.require_none_failed(but_cut=1)
    return answers


def restart_database(compose: Project, connected: Connected) -> Answers:
    """Restart PostgreSQL; requests meanwhile are answered 503 with Retry-After, nothing worse."""
    (database,) = compose.containers("postgres")
    with load(connected) as answers:
        time.sleep(2)
        docker("restart", "--time", "60", database)
        wait_healthy([database])
        time.sleep(5)
    answers.require_only_busy()
    wait_healthy(compose.containers("api") + compose.containers("upkeep"))
    return answers


def upgrade_and_back(compose: Project, connected: Connected, *, older: str) -> Answers:
    """Migrate and replace the replicas of the older release, roll back, and upgrade again."""
    with load(connected) as answers:
        compose("run", "--rm", "--no-deps", "migrate", image=IMAGE)
        compose.replace("api", image=IMAGE)
        compose.replace("api", image=older)
        compose("run", "--rm", "--no-deps", "migrate", image=older)
        compose.replace("api", image=IMAGE)
    answers.require_none_failed()
    return answers


def hold_memory_limit(compose: Project, connected: Connected) -> Answers:
    """Run commands in the containers under load; no container reaches its limit of memory."""
    containers = [each for name in MEMORY_LIMITED for each in compose.containers(name)]
    for each in containers:
        if int(inspect(each, "{{.HostConfig.Memory}}")) != LIMIT:
            raise CheckFailed(f"{inspect(each, '{{.Name}}')} has not the limit of 256 MiB.")
    most: dict[str, int] = {}
    with load(connected) as answers:
        for _ in range(3):
            compose("exec", "-T", "api", "xero-service", "bindings", "list")
            for name, used in memory_in_use().items():
                most[name] = max(most.get(name, 0), used)
    answers.require_none_failed()
    for each in containers:
        if inspect(each, "{{.State.OOMKilled}} {{.RestartCount}}") != "false 0":
            raise CheckFailed(f"{inspect(each, '{{.Name}}')} ran out of memory.")
    shown = ", ".join(f"{name} {used / 2**20:.0f} MiB" for name, used in sorted(most.items()))
    print(f"  memory: {shown}")
    return answers


def require_no_grant_lost(compose: Project) -> None:
    """Raise CheckFailed where a grant is not active any more."""
    printed = compose("exec", "-T", "api", "xero-service", "grants", "list", "--json")
    if printed.count('"active"') != 2 or "refresh_failed" in printed:
        raise CheckFailed(f"a grant was lost:\n{printed}")


def build_older_image(work: Path) -> str | None:
    """Build an image with the wheel of the last release on top of today's; return its name.

    None where the history of this checkout does not reach the last release.
    """
    commit = older_release.last_release()
    if commit is None:
        return None
    directory = work / "older"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    older_release.build(commit, directory)
    (wheel,) = (directory / "dist").glob("*.whl")
    (directory / "Dockerfile").write_text(
        f"FROM xero-service\nUSER root\nCOPY dist/{wheel.name} /tmp/\n"
        "RUN python -m pip install -q --no-deps --no-index --force-reinstall /tmp/*.whl\n"
        "USER 10001\n"
    )
    docker("build", "-q", "-t", "xero-service:older", str(directory))
    return "xero-service:older"
