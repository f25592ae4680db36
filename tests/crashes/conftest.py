"""Processes that die or stop where they are told to, and whose leases are short.

They are forked from a process that has imported the service: imports took most of their time.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Literal

import psutil
import pytest

from tests.concurrency.conftest import process_environment as process_environment
from tests.concurrency.conftest import replica as replica
from tests.crashes import crash_process
from tests.crashes.crash_process import DIED
from xero_service.failpoints import Place

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([crash_process.__name__])
TO_ITS_END = "nowhere"
# Of the processes that meet their fate, so that others can wait for the end of their leases.
SHORT_LEASES = {"XERO_TIMEOUT_SECONDS": "3", "REFRESH_LEASE_SECONDS": "6"}


@dataclass(frozen=True)
class Holder:
    """A process in the middle of something: it can be stopped, continued, killed."""

    process: ForkServerProcess

    def stop(self) -> None:
        """Stop it wherever it is, as an overcommitted machine would."""
        self._send(signal.SIGSTOP)
        self.has_stopped()

    def has_stopped(self) -> None:
        """Return once it lies still."""
        while psutil.Process(self.process.pid).status() != psutil.STATUS_STOPPED:
            assert self.process.is_alive(), "It ended before it came there."
            time.sleep(0.005)

    def goes_on(self) -> int | None:
        """Continue it and return its exit code, after it drained."""
        self._send(signal.SIGCONT)
        self.process.join(60)
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    def _send(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)


@dataclass(frozen=True)
class Doom:
    """Lets a process do something and meet its fate at a place on the way."""

    environment: dict[str, str]
    errors: Path

    def at(self, place: Place, deed: str, **told: Any) -> None:
        """Let it die there."""
        with self._running("dies", place.name, deed, told) as process:
            process.join(240)
            assert process.exitcode == DIED, (
                f"{place.name} was not reached\n{self.errors.read_text()}"
            )

    @contextmanager
    def stopped_at(self, place: Place, deed: str, **told: Any) -> Iterator[Holder]:
        """Let it stop there, by its own hand, so that it is at that place and no other."""
        with self._running("stops", place.name, deed, told) as process:
            holder = Holder(process)
            holder.has_stopped()
            yield holder

    @contextmanager
    def under_way(self, deed: str, **told: Any) -> Iterator[Holder]:
        """Let it go to its end, unless the test stops it."""
        with self._running("stops", TO_ITS_END, deed, told) as process:
            yield Holder(process)

    @contextmanager
    def _running(
        self, fate: Literal["dies", "stops"], where: str, deed: str, told: dict[str, Any]
    ) -> Iterator[ForkServerProcess]:
        environment = os.environ | self.environment
        ours, theirs = FORKS.Pipe(duplex=False)
        process = FORKS.Process(
            target=crash_process.run,
            args=(environment, self.errors, theirs, fate, where, deed, told),
        )
        with ours:
            with theirs:
                process.start()
            try:
                ours.recv()
                yield process
            finally:
                process.kill()
                process.join()
                process.close()


@pytest.fixture
def doom(environment: dict[str, str], tmp_path: Path) -> Doom:
    return Doom(environment | SHORT_LEASES, tmp_path / "errors")
