"""Child processes: start, wait until ready, stop by id; none outlives the launcher."""

import atexit
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from demo import reaper

POLL = 0.05
OUTPUT_LINES = 40


class LaunchError(Exception):
    """A part of the stack did not start; the message is printed at the terminal."""


@dataclass
class Child:
    """A running program, the leader of its own process group.

    A Ctrl-C at the terminal does not reach that group, so the launcher decides the order of stops.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    _ended: bool = field(default=False, repr=False)

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: int | None = None,
    ) -> Self:
        """Start `command` with its output appended to `log`; `env` replaces the environment.

        `user` is a numeric id to run as, with the group of the same number and no others.
        """
        reaper_pipe = _reaper_pipe()
        with log.open("ab") as output:
            try:
                process = subprocess.Popen(
                    [str(word) for word in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=None if env is None else dict(env),
                    cwd=cwd,
                    start_new_session=True,
                    user=user,
                    group=user,
                    extra_groups=None if user is None else (),
                )
            except OSError as error:
                raise LaunchError(f"{name} could not be started: {error}") from error
        reaper_pipe.send(f"watch {process.pid} {int(stop_signal)}")
        return cls(name, process, log, stop_signal)

    @property
    def pid(self) -> int:
        """The process id, and the id of its group."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the program is still running."""
        return self.process.poll() is None

    def output(self, lines: int = OUTPUT_LINES) -> str:
        """Return the last lines of the program's output."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def wait_until(self, ready: Callable[[], bool], *, within: float) -> Self:
        """Poll until `ready`; raises LaunchError with the output if it ends or takes too long."""
        deadline = time.monotonic() + within
        while not ready():
            if not self.running:
                raise self.failure(f"stopped with exit code {self.process.returncode}")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready within {within:g} seconds")
            time.sleep(POLL)
        return self

    def wait_until_answering(self, url: str, *, within: float = 120) -> Self:
        """Poll `url` until the response is a success."""
        with httpx.Client(trust_env=False, timeout=2) as client:
            return self.wait_until(lambda: _answers(client, url), within=within)

    def failure(self, what: str) -> LaunchError:
        """Return an error that says what happened to the program, with the end of its output."""
        output = self.output().strip() or "(no output)"
        return LaunchError(f"{self.name} {what}. Its last output:\n\n{output}\n")

    def stop(self, *, grace: float = 10) -> int:
        """Ask the program to stop, kill its group after `grace` seconds; return its exit code."""
        if self.running:
            self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(grace)
        return self.kill()

    def kill(self) -> int:
        """Kill the program and its whole group, as a crash would; return the exit code.

        Only the first call sends a signal, because the id may be reused later.
        """
        if not self._ended:
            reaper.signal_group(self.pid, signal.SIGKILL)
            self.process.wait()
            _reaper_pipe().send(f"forget {self.pid}")
            self._ended = True
        return self.process.returncode


@contextmanager
def temporary_directory(prefix: str, parent: str | None = None) -> Iterator[Path]:
    """Create a directory and remove it afterwards, even if the launcher is killed."""
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
    _reaper_pipe().send(f"own {directory}")
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
        _reaper_pipe().send(f"disown {directory}")


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False


class _ReaperPipe:
    """The pipe to this process's reaper, which is started with it."""

    def __init__(self) -> None:
        read_end, self._write_end = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper.__file__],
            stdin=read_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read_end)
        atexit.register(self.close)

    def send(self, command: str) -> None:
        """Send a command; if the reaper is gone, the launcher still stops its children itself."""
        with suppress(BrokenPipeError):
            os.write(self._write_end, f"{command}\n".encode())

    def close(self) -> None:
        """Close the pipe and wait for the reaper, which ends the groups still watched."""
        os.close(self._write_end)
        self._process.wait()


@functools.cache
def _reaper_pipe() -> _ReaperPipe:
    return _ReaperPipe()
