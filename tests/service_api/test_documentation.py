"""README.md and docs/from-your-service.md, followed word for word against a running demo.

`make` itself is left out: here it would install into the environment that runs the tests. What it
starts is started in its place, on ports that are free, in a directory that has nothing else.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from dotenv import dotenv_values

from demo import ports
from demo.environment import without_service_variables
from demo.processes import Child
from xero_sandbox.samples import ACME_TRADING

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "from-your-service.md"
NODE = ROOT / "tests" / "sdks" / "node"
EXPECTED = ["Acme Trading Ltd", "True", "True"]
# What each block of README.md is recognised by.
TRY, CONNECT, CALL, AFTERWARDS = "make demo", "/control/consent", "export BINDING_ID", "/disconnect"
SLOW_WORKERS = """
import sys, time
if "--multiprocessing-fork" in sys.orig_argv:
    time.sleep(6)
"""
CHECK, SERVE, SANDBOX = "doctor", "migrate", "xero-sandbox serve"
KEY = "keys create --name billing --org org_2abc"
RECEIVE = "webhooks create"


def examples(of: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", of.read_text(), re.MULTILINE | re.DOTALL)


def example(of: Path, language: str, marker: str = "") -> str:
    (found,) = [each for each in examples(of, language) if marker in each]
    return found


class Terminal:
    """A shell that is given one block after the other and stops at the first failure."""

    def __init__(self, directory: Path, variables: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=directory,
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.run("set -euo pipefail; make() { :; }")

    def run(self, block: str) -> str:
        """Return what a block printed."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{block}\necho; echo '--- done'\n")
        self._shell.stdin.flush()
        printed: list[str] = []
        for line in self._shell.stdout:
            if line == "--- done\n":
                return "".join(printed).strip()
            printed.append(line)
        raise AssertionError("".join(printed))

    def close(self) -> None:
        self._shell.communicate(timeout=30)


class Demo:
    """`make demo`, as it runs in a directory of its own."""

    def __init__(self, directory: Path, node_packages: Path) -> None:
        self.directory = directory
        self.port, self.sandbox_port = str(ports.free()), str(ports.free())
        for part in ("demo", "README.md"):
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, directory / part)
        (directory / ".venv").symlink_to(sys.prefix)
        (directory / "node_modules").symlink_to(node_packages / "node_modules")
        scripts = str(directory / ".venv" / "bin")
        self.variables = without_service_variables(os.environ) | {
            "PATH": os.pathsep.join((scripts, os.environ["PATH"])),
            "NO_PROXY": "localhost,127.0.0.1",
        }

    def here(self, block: str) -> str:
        """Return a block with the ports of this demo."""
        for port, own in (("8000", self.port), ("9000", self.sandbox_port)):
            block = re.sub(rf"(localhost:|\.demo/|--port ){port}\b", rf"\g<1>{own}", block)
        return block.replace("--host 0.0.0.0", "--host 127.0.0.1")

    @contextmanager
    def running(self) -> Iterator[str]:
        """Run the demo; give what it announced."""
        command = [".venv/bin/python", "-m", "demo", "--env-file", os.devnull]
        command += ["--port", self.port, "--sandbox-port", self.sandbox_port]
        with subprocess.Popen(
            command,
            cwd=self.directory,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            said = ""
            while "/Organisation" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            try:
                yield said
            finally:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=120)

    def configured(self) -> dict[str, str]:
        """What the demo's service runs with, for a service run by hand."""
        written = dotenv_values(self.directory / ".demo" / self.port / ".env")
        return self.variables | {name: value for name, value in written.items() if value}


@pytest.fixture(scope="module")
def node_packages() -> Path:
    if not (NODE / "node_modules" / "xero-node").is_dir():
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error"], cwd=NODE, check=True
        )
    return NODE


@pytest.fixture(scope="module")
def demo(node_packages: Path) -> Iterator[Demo]:
    # Not pytest's directory, which is its owner's alone: PostgreSQL runs as somebody else.
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Demo(Path(directory), node_packages)


@pytest.fixture(scope="module")
def announced(demo: Demo) -> Iterator[str]:
    with demo.running() as said:
        yield said


@pytest.fixture(scope="module")
def terminal(demo: Demo, announced: str) -> Iterator[Terminal]:
    """Somebody's second terminal, where an organisation was connected and called."""
    opened = Terminal(demo.directory, demo.variables)
    opened.run(demo.here(example(README, "sh", CONNECT)))
    opened.run(demo.here(example(README, "sh", CALL)))
    yield opened
    opened.close()


def test_the_demo_prints_the_lines_of_the_readme(demo: Demo, announced: str) -> None:
    """A3: one copy and paste from the demo to a key and a first call."""
    assert demo.here(example(README, "sh", CALL)) in announced


def test_what_the_demo_prints_calls_xero(demo: Demo, announced: str, terminal: Terminal) -> None:
    """A3."""
    lines = announced[announced.index("export XERO_SERVICE=") :]

    answer = json.loads(terminal.run(lines).splitlines()[-1])

    assert answer["Organisations"][0]["OrganisationID"] == ACME_TRADING


def test_a_service_finds_its_bindings(terminal: Terminal) -> None:
    """A3: the key of the guide may read bindings, so `$BINDING_ID` can be found."""
    answer = json.loads(terminal.run(example(GUIDE, "sh", '/bindings"')))

    assert [each["tenantId"] for each in answer["bindings"]] == [ACME_TRADING]


def test_curl_gets_the_organisation(terminal: Terminal) -> None:
    answer = json.loads(terminal.run(example(GUIDE, "sh", "Organisation")))

    assert answer["Organisations"][0]["OrganisationID"] == ACME_TRADING


def test_curl_gets_a_token(terminal: Terminal) -> None:
    answer = json.loads(terminal.run(example(GUIDE, "sh", "minValiditySeconds")))

    assert answer["tenantId"] == ACME_TRADING
    assert answer["accessToken"]


def test_a_stranger_receives_events_that_are_verified(demo: Demo, terminal: Terminal) -> None:
    """R28, A3: from the running demo, with the commands of the README alone."""
    block = demo.here(example(README, "sh", RECEIVE)).replace("8100", str(ports.free()))
    printed = terminal.run(block)
    deadline = time.monotonic() + 120
    while printed.count("Verified:") < 2 and time.monotonic() < deadline:
        printed += terminal.run("sleep 1")
    terminal.run("kill $!; wait $! || true")

    kinds = re.findall(r"Verified: [^\n]*?'kind': '([^']+)'", printed)
    assert kinds == ["binding.suspended", "binding.resumed"], printed


def test_curl_fails_where_the_service_says_no(terminal: Terminal) -> None:
    call = example(GUIDE, "sh", "Organisation")

    printed = terminal.run(f"(XERO_SERVICE_KEY=xsk_wrong\n{call}\n) || echo exit $?")

    assert printed.splitlines()[-1] == "exit 22"


@pytest.mark.parametrize(
    ("language", "sdk", "name"),
    [("python", "xero_python", "example.py"), ("js", "xero-node", "example.mjs")],
)
def test_an_sdk_of_xeros_works_with_the_service_as_its_base(
    demo: Demo, terminal: Terminal, language: str, sdk: str, name: str
) -> None:
    """A3."""
    (demo.directory / name).write_text(example(GUIDE, language, sdk))

    printed = terminal.run(example(GUIDE, "sh", name)).splitlines()

    assert [line.replace("true", "True") for line in printed] == EXPECTED


def test_curl_looks_refreshes_and_disconnects(demo: Demo, terminal: Terminal) -> None:
    printed = terminal.run(demo.here(example(README, "sh", AFTERWARDS))).splitlines()

    bindings, refreshed, ended = (json.loads(line) for line in printed if line)
    assert bindings["hasActiveBindings"] is True
    assert refreshed == {
        "success": True,
        "hasActiveBindings": True,
        "refreshedCount": 0,
        "errors": [],
    }
    assert (ended["binding"]["status"], ended["remoteCleanup"]) == ("revoked", "done")
    for block in (CONNECT, CALL):  # for whichever test comes next
        terminal.run(demo.here(example(README, "sh", block)))


def test_the_doctor_finds_nothing_wrong_with_the_demo(demo: Demo, announced: str) -> None:
    shell = Terminal(demo.directory, demo.configured())

    printed = shell.run(example(README, "sh", CHECK))

    shell.close()
    assert printed


@pytest.mark.parametrize("document", [README, GUIDE], ids=lambda each: each.name)
def test_an_operator_makes_a_key(demo: Demo, announced: str, document: Path) -> None:
    shell = Terminal(demo.directory, demo.configured())

    printed = shell.run(example(document, "sh", KEY))

    shell.close()
    assert re.search(r"^xsk_\S+$", printed, re.MULTILINE)


def test_the_service_runs_for_real_even_where_workers_start_slowly(
    demo: Demo, announced: str, tmp_path: Path
) -> None:
    """A3: on a busy machine the workers were replaced before they had loaded the code."""
    (tmp_path / "sitecustomize.py").write_text(SLOW_WORKERS)
    configured = demo.configured() | {"PYTHONPATH": str(tmp_path)}
    port = str(ports.free())
    block = demo.here(example(README, "sh", SERVE)).replace(demo.port, port)

    served(demo, block, f"http://127.0.0.1:{port}/readyz", configured)


def test_the_sandbox_runs_by_itself(demo: Demo) -> None:
    port = str(ports.free())
    block = demo.here(example(README, "sh", SANDBOX)).replace(demo.sandbox_port, port)

    served(demo, block, f"http://127.0.0.1:{port}/docs", demo.variables)


def served(demo: Demo, block: str, answering: str, variables: Mapping[str, str]) -> None:
    """Run a block that serves until it is stopped; return once it has answered and ended."""
    child = Child.start(
        "The block",
        ["bash", "-euc", block.replace("\n.venv/bin", "\nexec .venv/bin")],
        log=demo.directory / "served.log",
        env=dict(variables),
        cwd=demo.directory,
    )
    try:
        child.wait_until_answering(answering, within=180)
    finally:
        child.stop(grace=60)


def test_no_block_of_the_readme_is_left_out() -> None:
    """A3: a command that is added to README.md is followed here, or the tests say so."""
    followed = [TRY, CONNECT, CALL, RECEIVE, AFTERWARDS, CHECK, KEY, SERVE, SANDBOX]

    assert len(examples(README, "sh")) == len(followed)
    for marker in followed:
        assert example(README, "sh", marker)
