"""Child processes: started, ready when they say so, stopped by id, never outliving the launcher."""

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
SHOWN_LINES = 40


class LaunchError(Exception):
    """Something the stack needs did not start; the message is for the person at the terminal."""


@dataclass
class Child:
    """A running program, the leader of its own process group.

    Being in a group of its own, it sees no Ctrl-C from the terminal: the launcher alone decides
    the order in which things stop.
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
        watcher = _watcher()
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
        watcher.tell(f"watch {process.pid} {int(stop_signal)}")
        return cls(name, process, log, stop_signal)

    @property
    def pid(self) -> int:
        """The process id, and the id of its group."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet."""
        return self.process.poll() is None

    def output(self, lines: int = SHOWN_LINES) -> str:
        """Return the last lines the program wrote."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def wait_until(self, ready: Callable[[], bool], *, within: float) -> Self:
        """Poll until `ready`; raise LaunchError, with the output, if it ends or takes too long."""
        deadline = time.monotonic() + within
        while not ready():
            if not self.running:
                raise self.failure(f"stopped with exit code {self.process.returncode}")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready within {within:g} seconds")
            time.sleep(POLL)
        return self

    def wait_until_answering(self, url: str, *, within: float = 60) -> Self:
        """Poll `url` until it answers with a success."""
        with httpx.Client(trust_env=False, timeout=2) as client:
            return self.wait_until(lambda: _answers(client, url), within=within)

    def failure(self, what: str) -> LaunchError:
        """Return the error that says what became of this program and what it wrote last."""
        said = self.output().strip() or "(it wrote nothing)"
        return LaunchError(f"{self.name} {what}. Its last words:\n\n{said}\n")

    def stop(self, *, grace: float = 10) -> int:
        """Ask the program to stop, kill its whole group after `grace` seconds; return its code."""
        if self.running:
            self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(grace)
        return self.kill()

    def kill(self) -> int:
        """Kill the program and everything it started, as a crash would; return its exit code.

        Only the first call signals: later the id may be somebody else's.
        """
        if not self._ended:
            reaper.signal_group(self.pid, signal.SIGKILL)
            self.process.wait()
            _watcher().tell(f"forget {self.pid}")
            self._ended = True
        return self.process.returncode


@contextmanager
def temporary_directory(prefix: str, parent: str | None = None) -> Iterator[Path]:
    """Make a directory that is gone afterwards, also when the launcher is killed meanwhile."""
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
    _watcher().tell(f"own {directory}")
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
        _watcher().tell(f"disown {directory}")


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False


class _Watcher:
    """The line to the reaper of this process's children and directories."""

    def __init__(self) -> None:
        end, self._line = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper.__file__],
            stdin=end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(end)
        atexit.register(self.dismiss)

    def tell(self, order: str) -> None:
        """Send one order; without a reaper the launcher still stops its children itself."""
        with suppress(BrokenPipeError):
            os.write(self._line, f"{order}\n".encode())

    def dismiss(self) -> None:
        """Close the line; what is still watched is ended now."""
        os.close(self._line)
        self._process.wait()


@functools.cache
def _watcher() -> _Watcher:
    return _Watcher()
