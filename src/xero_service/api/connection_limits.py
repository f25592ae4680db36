"""The limits of an HTTP connection, and the timers that enforce those in seconds."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from uvicorn.protocols.http.flow_control import FlowControl


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of one connection, and the number of connections in a process."""

    head_bytes: int = 64 * 1024  # request line and fields; also trailers and the head of each chunk
    head_fields: int = 256
    head_seconds: float = 10  # from the first byte, or from the connection
    # The average rate at which a body must arrive and a response be read, and the longest pause.
    bytes_per_second: float = 1024
    pause_seconds: float = 30
    drain_seconds: float = 5  # for the rest of a request that already has its response
    pipelined: int = 16
    connections: int = 2000


class Deadline:
    """The deadline of a connection: `expired` is called when it passes.

    One timer serves all deadlines, because a connection sets several for each request.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callable[[], None]) -> None:
        """No deadline is set yet."""
        self.at: float | None = None  # the loop's clock; may be moved back without `set`
        self._loop, self._expired = loop, expired
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0

    def set(self, seconds: float) -> None:
        """Set the deadline so many seconds from now."""
        self.at = due = self._loop.time() + seconds
        if self._timer is not None and self._timer_due > due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer_due = due
            self._timer = self._loop.call_at(due, self._on_timer)

    def clear(self) -> None:
        """Remove the deadline."""
        self.at = None

    def close(self) -> None:
        """Remove the deadline and its timer."""
        self.at = None
        if self._timer is not None:
            self._timer.cancel()

    def _on_timer(self) -> None:
        self._timer = None
        if self.at is None:
            return
        if (left := self.at - self._loop.time()) > 0:
            self.set(left)
        else:
            self._expired()


class ReaderWatch:
    """Aborts a connection whose client reads its response too slowly."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        limits: ConnectionLimits,
    ) -> None:
        """Watch nothing yet."""
        self._loop, self._transport, self._limits = loop, transport, limits
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Compare what is unsent now with what is unsent after the longest pause."""
        self._check_later(self._transport.get_write_buffer_size())

    def stop(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_later(self, unsent: int) -> None:
        self._timer = self._loop.call_later(self._limits.pause_seconds, self._check, unsent)

    def _check(self, before: int) -> None:
        unsent = self._transport.get_write_buffer_size()
        if before - unsent < self._limits.pause_seconds * self._limits.bytes_per_second:
            self._transport.abort()
        else:
            self._check_later(unsent)


class NotifyingFlowControl(FlowControl):
    """Calls `resumed` when the service reads again, since its own pause is not the client's."""

    def __init__(self, transport: asyncio.Transport, resumed: Callable[[], None]) -> None:
        """`resumed`: called after reading was paused and resumed."""
        super().__init__(transport)
        self._resumed = resumed

    def resume_reading(self) -> None:
        """Resume reading where it was paused."""
        if self.read_paused:
            super().resume_reading()
            self._resumed()
