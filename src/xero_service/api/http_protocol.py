"""HTTP/1.1 on one connection: uvicorn's protocol, with bounds on what a caller can take of us.

Bounded are the size of a head and of the framing of a body, the time that a head, a body and the
reading of an answer take, pipelined requests, and the connections of a process. `Upgrade` is
never accepted, and its request is read whole: the parser would take the body for another protocol.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from xero_service.api import problems
from xero_service.api.middleware import BROWSER_HEADERS
from xero_service.errors import (
    HeadTooLarge,
    IntegrationError,
    MalformedRequest,
    RequestTimeout,
    ServiceBusy,
)
from xero_service.telemetry import logger

PIECE = 16 * 1024  # bytes that are parsed at a time, so that each bound is checked in between
HOP_BY_HOP = frozenset({b"connection", b"upgrade", b"http2-settings"})

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may take, and how many there may be in a process."""

    head_bytes: int = 64 * 1024  # request line and fields; trailers and each chunk's head, too
    head_fields: int = 256
    head_seconds: float = 10  # from the first byte, or from a connection that sends none
    # A body must arrive, and an answer be read, at this rate on average. A pause may be this long.
    bytes_per_second: float = 1024
    pause_seconds: float = 30
    drain_seconds: float = 5  # for what still arrives of a request that was answered already
    pipelined: int = 16
    connections: int = 2000


class Awaited(IntEnum):
    """What a connection waits for its caller to send, in the order in which it gives way."""

    FIRST_HEAD = 0
    NOTHING = 1  # a request is at work, or the next one may come
    HEAD = 2
    BODY = 3


class _Flow(FlowControl):
    """Tells when reading goes on: a pause of ours is not the caller's."""

    def __init__(self, transport: asyncio.Transport, resumed: Callable[[], None]) -> None:
        super().__init__(transport)
        self._resumed = resumed

    def resume_reading(self) -> None:
        if self.read_paused:
            super().resume_reading()
            self._resumed()


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol within `limits`."""

    limits = Limits()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._awaited = Awaited.FIRST_HEAD
        self._since = self.loop.time()
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._stall: asyncio.TimerHandle | None = None
        self._is_deaf = False
        self._is_upgrade = False
        self._unread = 0  # bytes since the parser last had something whole
        self._head = self._received = self._body = 0  # bytes of this message

    # --- The connection ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for a head, after making room where there is none."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self._reading_resumed)
        self._allow(self.limits.head_seconds)
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        for timer in (self._timer, self._stall):
            if timer is not None:
                timer.cancel()
        self._deadline = None
        super().connection_lost(exc)

    def _make_room(self) -> None:
        """Close the connection that has waited longest for its caller, or refuse this one."""
        others = cast("set[BoundedHttp]", self.connections) - {self}
        waiting = [each for each in others if each.waits_for_its_caller]
        if not waiting:
            self._refuse(ServiceBusy("Too many requests at once.", retry_after=1))
            return
        longest = min(waiting, key=lambda each: (each._awaited, each._since))
        self.connections.discard(longest)
        longest.transport.abort()

    @property
    def waits_for_its_caller(self) -> bool:
        """Whether nothing here is at work on a request that arrived whole."""
        return self._open_cycle is None or self._awaited is Awaited.BODY

    @property
    def _open_cycle(self) -> RequestResponseCycle | None:
        """The newest request, unless it was answered."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return None if cycle is None or cycle.response_complete else cycle

    # --- Time -------------------------------------------------------------------------------

    def _await(self, awaited: Awaited, seconds: float | None) -> None:
        self._awaited, self._since, self._deadline = awaited, self.loop.time(), None
        if seconds is not None:
            self._allow(seconds)

    def _allow(self, seconds: float) -> None:
        """Let what is awaited take so long; one timer serves all of a connection's requests."""
        self._deadline = due = self.loop.time() + seconds
        if self._timer is not None and self._timer_due > due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer_due = due
            self._timer = self.loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._deadline is None or self.transport.is_closing():
            return
        if (left := self._deadline - self.loop.time()) > 0:
            self._allow(left)
        elif self._is_deaf:
            self.transport.abort()
        elif self._awaited is not Awaited.BODY:
            self._on_late_head()
        elif self.cycle.response_complete:
            self.transport.close()
        elif self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._allow(self.limits.pause_seconds)  # the service does not read: its own pause
        else:
            self._refuse(RequestTimeout("The body took too long to arrive."))

    def _on_late_head(self) -> None:
        if self._unread or self._awaited is Awaited.HEAD:
            self._refuse(RequestTimeout("The head of the request took too long to arrive."))
        else:
            self.transport.close()

    def _reading_resumed(self) -> None:
        if self._awaited is Awaited.BODY and not self.cycle.response_complete:
            self._allow(self.limits.pause_seconds)

    def pause_writing(self) -> None:
        """Watch whether the caller goes on reading its answer."""
        super().pause_writing()
        self._watch_reader(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Stop watching."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _watch_reader(self, unsent: int) -> None:
        def check() -> None:
            still = self.transport.get_write_buffer_size()
            if unsent - still < self.limits.pause_seconds * self.limits.bytes_per_second:
                self.transport.abort()
            else:
                self._watch_reader(still)

        self._stall = self.loop.call_later(self.limits.pause_seconds, check)

    # --- Bytes ------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse what came, piece by piece, within the bounds."""
        self._unset_keepalive_if_required()
        if self._awaited is Awaited.NOTHING:
            self._await(Awaited.HEAD, self.limits.head_seconds)  # blank lines count as its begin
        for start in range(0, len(data), PIECE):
            if self._is_deaf or self.transport.is_closing():
                return
            try:
                self._feed(data[start : start + PIECE])
            except httptools.HttpParserCallbackError as error:
                cause = error.__context__
                self._refuse(cause if isinstance(cause, IntegrationError) else MalformedRequest())
            except httptools.HttpParserError:
                self._refuse(MalformedRequest())
            except IntegrationError as error:
                self._refuse(error)

    def _feed(self, piece: bytes) -> None:
        self._unread += len(piece)
        self._received += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._parse_without_upgrade(piece[upgrade.args[0] :])
        if self._unread > self.limits.head_bytes:
            raise HeadTooLarge() if self._awaited is not Awaited.BODY else MalformedRequest()
        if self._received - self._body > 2 * self.limits.head_bytes + 8 * self._body:
            raise MalformedRequest("The chunks of the body are larger than the body.")

    def _parse_without_upgrade(self, rest: bytes) -> None:
        """Parse a head again as that of an ordinary request, the last on its connection."""
        self._is_upgrade = False
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version), b"connection: close"]
        lines += [b"%b: %b" % field for field in self.headers if field[0] not in HOP_BY_HOP]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join([*lines, b"", b""]))
        if rest:
            self.parser.feed_data(rest)

    # --- What the parser finds --------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Start counting."""
        super().on_message_begin()
        self._head = self._received = self._body = 0
        first = self._awaited is Awaited.FIRST_HEAD
        self._await(Awaited.FIRST_HEAD if first else Awaited.HEAD, self.limits.head_seconds)

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; a trailer is not one, whatever it says."""
        self._count_head(len(name) + len(value) + len(": \r\n"))
        if self._awaited is Awaited.BODY:
            return
        super().on_header(name, value)
        if len(self.headers) > self.limits.head_fields:
            raise HeadTooLarge(f"Send at most {self.limits.head_fields} header fields.")

    def _count_head(self, size: int) -> None:
        self._head += size
        if self._head > self.limits.head_bytes:
            raise HeadTooLarge

    def on_headers_complete(self) -> None:
        """Start the request, unless its end would be in doubt."""
        self._unread = 0
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise MalformedRequest("CONNECT is not supported.")
            self._is_upgrade = True
            return
        if len(self.pipeline) >= self.limits.pipelined:
            raise MalformedRequest("Too many requests at once on one connection.")
        names_upgrade = False
        for name, value in self.headers:
            names_upgrade = names_upgrade or name == b"upgrade"
            if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
                raise MalformedRequest("The only Transfer-Encoding supported is chunked.")
        super().on_headers_complete()
        if names_upgrade:
            self.cycle.keep_alive = False
        self._await(Awaited.BODY, self.limits.pause_seconds)

    def _should_upgrade(self) -> bool:
        return False

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on; it earns its caller time for the next."""
        self._unread = 0
        self._body += len(body)
        if self._deadline is not None and not self.cycle.response_complete:
            earned = self._deadline + len(body) / self.limits.bytes_per_second
            self._deadline = min(self.loop.time() + self.limits.pause_seconds, earned)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for nothing, until more comes."""
        if self._is_upgrade:
            return
        self._unread = 0
        self._await(Awaited.NOTHING, None)
        super().on_message_complete()
        if self.cycle.response_complete and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        """Bound what still arrives of the body, which nobody reads."""
        super().on_response_complete()
        self._since = self.loop.time()
        if self._awaited is not Awaited.BODY or not self.cycle.response_complete:
            return
        if self.expect_100_continue and not self._body:
            self.transport.close()  # whether the body still comes is in doubt
        else:
            self._allow(self.limits.drain_seconds)

    # --- Refusals ---------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        """Refuse with a problem, where the base class would write a line of text."""
        self._refuse(MalformedRequest(msg))

    def _refuse(self, error: IntegrationError) -> None:
        """Answer with a problem and close; where earlier answers are due, close after these."""
        self._is_deaf, self._deadline = True, None
        source = self.client[0] if self.client else None
        log.info("request refused", problem=error.code, detail=error.detail, source=source)
        if cycle := self._open_cycle:
            if self._awaited is not Awaited.BODY:
                cycle.keep_alive = False
                return
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started or self.pipeline:
                self.transport.abort()
                return
        self.transport.write(self._answer(error))
        self.transport.write_eof()
        # Closed at once, the answer could be lost to a caller that is still sending.
        self._allow(self.limits.drain_seconds)

    def _answer(self, error: IntegrationError) -> bytes:
        request_id = os.urandom(16).hex()
        body = problems.problem_of(error, request_id).model_dump_json().encode()
        fields = [
            *self.server_state.default_headers,
            *BROWSER_HEADERS,
            (b"content-type", problems.MEDIA_TYPE.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        if error.retry_after is not None:
            fields.append((b"retry-after", b"%d" % error.retry_after))
        head = STATUS_LINE[error.status] + b"".join(b"%b: %b\r\n" % field for field in fields)
        return head + b"\r\n" + body
