"""Children of the launcher: their readiness, and their end with the launcher."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from demo import ports
from demo.processes import Child, LaunchError

SERVER = """
import http.server, signal, sys
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)\\
    .serve_forever()
"""
PARENT_OF_SERVER = """
import subprocess, sys
subprocess.run([sys.executable, "-c", *sys.argv[1:]])
"""
LAUNCHER = """
import sys, threading
from pathlib import Path
from demo.processes import Child, temporary_directory
def start():
    command = [sys.executable, "-c", *sys.argv[3:]]
    child = Child.start("Server", command, log=Path(sys.argv[2], "log"))
    child.wait_until_answering(sys.argv[1])
starter = threading.Thread(target=start)
starter.start()
starter.join()
with temporary_directory("of a killed launcher ", sys.argv[2]) as directory:
    print(directory, flush=True)
    threading.Event().wait()
"""


def start(tmp_path: Path, *arguments: str) -> Child:
    return Child.start("Server", [sys.executable, "-c", *arguments], log=tmp_path / "log")


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


def answers(port: int) -> bool:
    try:
        return httpx.get(address(port), trust_env=False).is_success
    except httpx.TransportError:
        return False


def becomes_true(claim: Callable[[], bool], *, within: float = 30) -> bool:
    deadline = time.monotonic() + within
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_child_is_ready_once_it_answers(tmp_path: Path) -> None:
    port = ports.free()

    child = start(tmp_path, SERVER, str(port)).wait_until_answering(address(port))

    assert answers(port)
    assert child.stop() == -signal.SIGTERM
    assert not answers(port)


def test_a_child_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    child = start(tmp_path, "import sys; sys.exit('no such database')")

    with pytest.raises(LaunchError, match=r"stopped with exit code 1(?s:.*)no such database"):
        child.wait_until_answering(address(ports.free()))

    assert child.stop() == 1


def test_a_child_that_never_gets_ready_is_reported(tmp_path: Path) -> None:
    child = start(tmp_path, "import threading; threading.Event().wait()")

    with pytest.raises(LaunchError, match=r"was not ready within 0.2 seconds"):
        child.wait_until_answering(address(ports.free()), within=0.2)

    child.stop()


def test_a_program_that_does_not_exist_is_reported_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="The service could not be started"):
        Child.start("The service", [tmp_path / "missing"], log=tmp_path / "log")


def test_a_child_that_ignores_the_request_is_killed_after_the_grace(tmp_path: Path) -> None:
    port = ports.free()
    child = start(tmp_path, SERVER, str(port), "stubborn").wait_until_answering(address(port))

    assert child.stop(grace=0.2) == -signal.SIGKILL
    assert not answers(port)


def test_stopping_a_child_ends_what_it_started(tmp_path: Path) -> None:
    port = ports.free()
    child = start(tmp_path, PARENT_OF_SERVER, SERVER, str(port), "stubborn")
    child.wait_until_answering(address(port))

    child.stop()

    assert becomes_true(lambda: not answers(port))


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    child = start(tmp_path, "import threading; threading.Event().wait()")

    assert child.stop() == child.stop() == -signal.SIGTERM


@pytest.mark.parametrize("manner", ["", "stubborn"])
def test_nothing_is_left_of_a_launcher_that_is_killed(tmp_path: Path, manner: str) -> None:
    port = ports.free()
    command = [sys.executable, "-c", LAUNCHER, address(port), str(tmp_path)]
    with subprocess.Popen(
        [*command, SERVER, str(port), manner], stdout=subprocess.PIPE, text=True
    ) as launcher:
        assert launcher.stdout is not None
        directory = Path(launcher.stdout.readline().rstrip("\n"))
        assert directory.is_dir()
        assert answers(port), "a child outlives the thread that started it"

        launcher.kill()

        assert becomes_true(lambda: not answers(port))
        assert becomes_true(lambda: not directory.exists())
