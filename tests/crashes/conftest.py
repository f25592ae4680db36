"""Processes that die or stop where they are told to, and whose leases are short."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.concurrency.conftest import process_environment as process_environment
from tests.concurrency.conftest import replica as replica
from tests.crashes.crash_process import DIED
from xero_service.failpoints import Place

TO_ITS_END = "nowhere"
# Of the processes that meet their fate, so that others can wait for the end of their leases.
SHORT_LEASES = {"XERO_TIMEOUT_SECONDS": "3", "REFRESH_LEASE_SECONDS": "6"}


@dataclass(frozen=True)
class Holder:
    """A process in the middle of something: it can be stopped, continued, killed."""

    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Stop it wherever it is, as an overcommitted machine would."""
        self.process.send_signal(signal.SIGSTOP)
        self.has_stopped()

    def has_stopped(self) -> None:
        """Return once it lies still."""
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "It ended before it came there."

    def goes_on(self) -> int:
        """Continue it and return its exit code, after it drained."""
        self.process.send_signal(signal.SIGCONT)
        return self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Doom:
    """Lets a process do something and meet its fate at a place on the way."""

    environment: dict[str, str]

    def at(self, place: Place, deed: str, **told: Any) -> None:
        """Let it die there."""
        done = subprocess.run(
            self._command("dies", place.name, deed, told),
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == DIED, f"{place.name} was not reached\n{done.stderr}"

    @contextmanager
    def stopped_at(self, place: Place, deed: str, **told: Any) -> Iterator[Holder]:
        """Let it stop there, by its own hand, so that it is at that place and no other."""
        with self._running(place.name, deed, told) as holder:
            holder.has_stopped()
            yield holder

    @contextmanager
    def under_way(self, deed: str, **told: Any) -> Iterator[Holder]:
        """Let it go to its end, unless the test stops it."""
        with self._running(TO_ITS_END, deed, told) as holder:
            yield holder

    @contextmanager
    def _running(self, where: str, deed: str, told: dict[str, Any]) -> Iterator[Holder]:
        process = subprocess.Popen(
            self._command("stops", where, deed, told),
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begins\n"
            yield Holder(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _command(self, fate: str, where: str, deed: str, told: dict[str, Any]) -> list[str]:
        return [
            sys.executable,
            "-m",
            "tests.crashes.crash_process",
            fate,
            where,
            deed,
            json.dumps(told),
        ]


@pytest.fixture
def doom(environment: dict[str, str]) -> Doom:
    return Doom(environment | SHORT_LEASES)
