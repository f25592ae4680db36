"""C1: every command of the service connects by the same URL, or refuses it by name."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from demo import ports
from demo.environment import service_environment, without_service_variables
from demo.processes import Child
from tests import commands
from tests.commands import Ended
from tests.conftest import APP, ORIGIN
from tests.connections.server import PASSWORD, Cluster
from xero_sandbox.client import SandboxClient

COMMANDS = (
    ("migrate",),
    ("doctor",),
    ("upkeep", "--once"),
    (
        "keys",
        "create",
        "--name",
        "x",
        "--all-orgs",
        "--scope",
        "tokens:read",
        "--scope",
        "bindings:read",
    ),
    ("keys", "list"),
)


def everything(cluster: Cluster) -> str:
    return cluster.url(
        cluster.at_standby,
        cluster.at_primary,
        target_session_attrs="read-write",
        sslmode="verify-full",
        sslrootcert=str(cluster.authority.file),
        application_name="ledger",
        connect_timeout="5",
        options="-c lock_timeout=5s",
        keepalives="1",
        gssencmode="disable",
        channel_binding="prefer",
    )


def after_a_dead_host(cluster: Cluster) -> str:
    dead = f"localhost:{ports.free()}"
    return cluster.url(dead, cluster.at_primary, target_session_attrs="primary")


URLS = pytest.mark.parametrize("url", [everything, after_a_dead_host])


class Command:
    """`xero-service …`, configured but for its database."""

    def __init__(
        self,
        environment: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.environment = environment
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: str, url: str) -> Ended:
        for name, value in {**self.environment, "DATABASE_URL": url}.items():
            self._monkeypatch.setenv(name, value)
        return commands.run(self._capsys, *arguments)


@pytest.fixture
def command(
    sandbox: SandboxClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Command:
    told = service_environment(
        {}, origin=ORIGIN, sandbox=sandbox.base_url, app=APP, database_url="", page=None
    )
    for name in os.environ.keys() - without_service_variables(os.environ).keys():
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Command(told, monkeypatch, capsys)


@URLS
def test_commands_connect_as_the_url_says_c1(
    cluster: Cluster, command: Command, url: Callable[[Cluster], str]
) -> None:
    ended = {each: command.run(*each, url=url(cluster)) for each in COMMANDS}

    assert {each: done.code for each, done in ended.items()} == dict.fromkeys(COMMANDS, 0)


def test_serving_connects_as_the_url_says_c1(
    cluster: Cluster, command: Command, tmp_path: Path
) -> None:
    url = everything(cluster)
    command.run("migrate", url=url)
    made = command.run(*COMMANDS[3], url=url).said
    key = next(line for line in made.splitlines() if line.startswith("xsk_"))
    port = ports.free()
    child = Child.start(
        "service",
        [sys.executable, "-m", "xero_service", "serve", "--port", str(port)],
        log=tmp_path / "log",
        env={**os.environ, **command.environment, "DATABASE_URL": url},
        cwd=tmp_path,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        child.wait_until_answering(f"{base}/readyz")
        with httpx.Client(base_url=base, trust_env=False, timeout=30) as client:
            # A transaction, and a single statement.
            headers = {"Authorization": f"Bearer {key}", "X-Org-Id": "org_acme"}
            api = "/api/integrations/xero/bindings"
            listed = client.get(api, headers=headers)
            token = client.post(f"{api}/{UUID(int=1)}/token", headers=headers)
    finally:
        child.stop()

    assert (listed.status_code, listed.json()["bindings"]) == (200, [])
    assert (token.status_code, token.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("arguments", [*COMMANDS, ("serve",), ("audit",)], ids=" ".join)
def test_a_parameter_of_another_tool_stops_every_command_c1(
    cluster: Cluster, command: Command, arguments: tuple[str, ...]
) -> None:
    url = cluster.url(pgbouncer="true", sslmode="foo", schema="public")

    done = command.run(*arguments, url=url)

    assert done.code == 2
    for fault in ("has pgbouncer, ", "has sslmode, ", "has schema, "):
        assert f"\n  DATABASE_URL {fault}" in done.said
    assert PASSWORD not in done.said


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_server_of_another_authority_is_an_outage_to_every_command_c1(
    cluster: Cluster, command: Command, arguments: tuple[str, ...]
) -> None:
    url = cluster.url(sslmode="verify-full", sslrootcert=str(cluster.stranger.file))

    done = command.run(*arguments, url=url)

    assert done.code in {1, 2}
    assert ("certificate verify failed" in done.said) is (arguments[0] in {"doctor", "migrate"})
    assert PASSWORD not in done.said
