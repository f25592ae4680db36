"""`python -m demo`: prints the addresses, and stops cleanly on Ctrl-C."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from demo import ports
from demo.__main__ import watch
from demo.environment import without_service_variables
from demo.processes import Child, LaunchError
from demo.stack import SERVICE
from tests.world import ACME

ROOT = Path(__file__).parents[2]
CTRL_C = b"\x03"
AT_A_TERMINAL = """
import os, pty, sys
sys.exit(abs(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:]))))
"""


def demo(*arguments: str, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "--env-file", os.devnull, *arguments],
        cwd=ROOT,
        env=without_service_variables(os.environ) | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def announcement(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said += line
    return said


def made_key(port: int) -> str:
    """Return what an operator's command prints who makes a key for the demo at `port`."""
    there = ROOT / ".demo" / str(port)
    assert (there / ".env").stat().st_mode & 0o077 == 0
    made = subprocess.run(
        [SERVICE, "keys", "create", "--name", "billing", "--org", ACME, "--scope", "api:call"],
        cwd=there,
        env=without_service_variables(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    return made.stdout + made.stderr


def assert_ended(*listening: int) -> None:
    assert not any(map(listens, listening))
    assert not (ROOT / ".demo" / str(listening[0])).exists()


@pytest.mark.soak
@pytest.mark.parametrize("request_to_stop", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_asked_twice(request_to_stop: signal.Signals) -> None:
    port, sandbox_port = ports.free(), ports.free()
    with demo("--port", str(port), "--sandbox-port", str(sandbox_port)) as process:
        announcement(process)

        process.send_signal(request_to_stop)
        process.send_signal(request_to_stop)  # an impatient second time changes nothing
        rest, complaints = process.communicate(timeout=120)

    assert process.returncode == 0
    assert complaints == ""
    assert "Stopped." in rest
    assert_ended(port, sandbox_port)


def test_an_application_of_your_own_shows_the_page_and_its_users_may_call() -> None:
    port, app = str(ports.free()), f"http://localhost:{ports.free()}"
    with demo(PORT=port, SANDBOX_PORT=str(ports.free()), APP_URL=app) as process:
        said = announcement(process)
        environment = dotenv_values(ROOT / ".demo" / port / ".env")
        process.terminate()
        process.communicate(timeout=120)

    assert process.returncode == 0
    assert f"{app}/settings/integrations" in said
    assert environment["FRONTEND_URL"] == environment["AUTH_AUTHORIZED_PARTIES"] == app
    assert environment["PUBLIC_URL"] == f"http://localhost:{port}"


def test_it_announces_itself_and_ctrl_c_at_a_terminal_is_no_failure_of_make(
    tmp_path: Path,
) -> None:
    port, sandbox_port = ports.free(), ports.free()
    arguments = f"--env-file {os.devnull} --port {port} --sandbox-port {sandbox_port}"
    (tmp_path / "Makefile").write_text(f"run:\n\t@exec {sys.executable} -m demo {arguments}\n")
    command = ["make", "--no-print-directory", "-f", str(tmp_path / "Makefile"), "run"]
    with subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, *command],
        cwd=ROOT,
        env=without_service_variables(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = process.stdout.readline().decode()
            assert line, said
            said += line
        made = made_key(port)

        process.stdin.write(CTRL_C)
        process.stdin.flush()
        rest = process.stdout.read()

    assert process.returncode == 0
    assert rest.split()[-1] == b"Stopped."
    assert "xsk_" in made, made
    assert f"http://localhost:{port}/docs" in said
    for person in ("Acme admin", "Acme member", "Globex admin", "Accountant"):
        assert person in said
    assert_ended(port, sandbox_port)


def test_a_part_that_ends_by_itself_ends_the_demo_with_its_last_words(tmp_path: Path) -> None:
    lasting = Child.start("PostgreSQL", ["sleep", "60"], log=tmp_path / "lasting")
    ending = Child.start("The sandbox", ["sh", "-c", "echo alas; exit 3"], log=tmp_path / "ending")

    with pytest.raises(LaunchError, match=r"The sandbox stopped with exit code 3(?s:.*)alas"):
        watch([lasting, ending])

    lasting.stop()


@pytest.mark.parametrize("variable", ["PORT", "SANDBOX_PORT"])
def test_a_taken_port_is_named_with_the_variable_that_changes_it(variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        free = {"PORT": str(ports.free()), "SANDBOX_PORT": str(ports.free())}

        with demo(**free | {variable: port}) as process:
            _, complaints = process.communicate(timeout=120)

    assert process.returncode == 1
    assert complaints.strip() == (
        f"Port {port} is taken. Free it, or choose another: make demo {variable}=…"
    )


def test_what_cannot_start_is_said_without_a_traceback() -> None:
    port, sandbox_port = str(ports.free()), str(ports.free())
    with demo(PORT=port, SANDBOX_PORT=sandbox_port, LOG_LEVEL="LOUD") as process:
        _, complaints = process.communicate(timeout=120)

    assert process.returncode == 1
    assert "LOG_LEVEL" in complaints
    assert "Traceback" not in complaints
    shutil.rmtree(ROOT / ".demo" / port)
    assert not listens(int(port))
    assert not listens(int(sandbox_port))
