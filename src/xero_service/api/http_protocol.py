"""uvicorn's HTTP/1.1 protocol with limits on what one client can use.

Limited are the size of a request's head and of a body's framing, the time for a head, a body and
the reading of a response, pipelined requests, and the connections of a process. A request with
`Upgrade` is parsed again without it, or the parser would take its body for another protocol.
"""

import asyncio
from enum import IntEnum
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from xero_service.api.connection_limits import (
    ConnectionLimits,
    Deadline,
    NotifyingFlowControl,
    ReaderWatch,
)
from xero_service.api.raw_problem import problem_response
from xero_service.errors import (
    HeadTooLarge,
    IntegrationError,
    MalformedRequest,
    RequestTimeout,
    ServiceBusy,
)
from xero_service.telemetry import logger

PIECE = 16 * 1024  # bytes that are parsed at once; the limits are checked after each piece
HOP_BY_HOP = frozenset({b"connection", b"upgrade", b"http2-settings"})

log = logger(__name__)


class Phase(IntEnum):
    """What a connection waits for; the lowest is closed first when there are too many."""

    FIRST_HEAD = 0
    NOTHING = 1  # the service works on a request, or the connection is idle
    HEAD = 2
    BODY = 3


class BoundedHttp(HttpToolsProtocol):
    """One connection within `limits`."""

    limits = ConnectionLimits()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._phase = Phase.FIRST_HEAD
        self._since = self.loop.time()
        self._deadline = Deadline(self.loop, self._on_deadline)
        self._reader: ReaderWatch | None = None
        self._has_refused = False
        self._is_upgrade = False
        self._unparsed = 0  # bytes since the parser last completed a part
        self._head = self._received = self._body = 0  # bytes of this message

    # --- The connection ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for a head; close another connection where there are too many."""
        super().connection_made(transport)
        self.flow = NotifyingFlowControl(transport, self._on_reading_resumed)
        self._reader = ReaderWatch(self.loop, transport, self.limits)
        self._deadline.set(self.limits.head_seconds)
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self._deadline.close()
        if self._reader is not None:
            self._reader.stop()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        """Close the connection that has waited longest for its client, or refuse this one."""
        others = cast("set[BoundedHttp]", self.connections) - {self}
        waiting = [each for each in others if each.waits_for_client]
        if not waiting:
            self._refuse(ServiceBusy("Too many requests at once.", retry_after=1))
            return
        longest = min(waiting, key=lambda each: (each._phase, each._since))
        self.connections.discard(longest)
        longest.transport.abort()

    @property
    def waits_for_client(self) -> bool:
        """Whether the service is not working on a complete request."""
        return self._open_cycle is None or self._phase is Phase.BODY

    @property
    def _open_cycle(self) -> RequestResponseCycle | None:
        """The newest request, unless its response is complete."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return None if cycle is None or cycle.response_complete else cycle

    # --- Time -------------------------------------------------------------------------------

    def _enter(self, phase: Phase, seconds: float | None) -> None:
        """Begin a phase, which must end within so many seconds."""
        self._phase, self._since = phase, self.loop.time()
        if seconds is None:
            self._deadline.clear()
        else:
            self._deadline.set(seconds)

    def _on_deadline(self) -> None:
        if self.transport.is_closing():
            return
        if self._has_refused:
            self.transport.abort()
        elif self._phase is not Phase.BODY:
            self._on_head_deadline()
        elif self.cycle.response_complete:
            self.transport.close()
        elif self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._deadline.set(self.limits.pause_seconds)  # the service has paused reading
        else:
            self._refuse(RequestTimeout("The body took too long to arrive."))

    def _on_head_deadline(self) -> None:
        if self._unparsed or self._phase is Phase.HEAD:
            self._refuse(RequestTimeout("The head of the request took too long to arrive."))
        else:
            self.transport.close()

    def _on_reading_resumed(self) -> None:
        if self._phase is Phase.BODY and not self.cycle.response_complete:
            self._deadline.set(self.limits.pause_seconds)

    def pause_writing(self) -> None:
        """Watch the pace at which the client reads its response."""
        super().pause_writing()
        if self._reader is not None:
            self._reader.start()

    def resume_writing(self) -> None:
        """Stop watching."""
        super().resume_writing()
        if self._reader is not None:
            self._reader.stop()

    # --- Bytes ------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse the data piece by piece, within the limits."""
        self._unset_keepalive_if_required()
        if self._phase is Phase.NOTHING:
            self._enter(Phase.HEAD, self.limits.head_seconds)  # blank lines before a head count
        for start in range(0, len(data), PIECE):
            if self._has_refused or self.transport.is_closing():
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
        self._unparsed += len(piece)
        self._received += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._parse_without_upgrade(piece[upgrade.args[0] :])
        if self._unparsed > self.limits.head_bytes:
            raise HeadTooLarge() if self._phase is not Phase.BODY else MalformedRequest()
        if self._received - self._body > 2 * self.limits.head_bytes + 8 * self._body:
            raise MalformedRequest("The chunks of the body are larger than the body.")

    def _parse_without_upgrade(self, rest: bytes) -> None:
        """Parse a head again without Upgrade, as the last request of its connection."""
        self._is_upgrade = False
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version), b"connection: close"]
        lines += [b"%b: %b" % field for field in self.headers if field[0] not in HOP_BY_HOP]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join([*lines, b"", b""]))
        if rest:
            self.parser.feed_data(rest)

    # --- Callbacks of the parser ------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Reset the counts of bytes."""
        super().on_message_begin()
        self._head = self._received = self._body = 0
        first = self._phase is Phase.FIRST_HEAD
        self._enter(Phase.FIRST_HEAD if first else Phase.HEAD, self.limits.head_seconds)

    def on_url(self, url: bytes) -> None:
        """Count a part of the target."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a field; keep it unless it is a trailer."""
        self._count_head(len(name) + len(value) + len(": \r\n"))
        if self._phase is Phase.BODY:
            return
        super().on_header(name, value)
        if len(self.headers) > self.limits.head_fields:
            raise HeadTooLarge(f"Send at most {self.limits.head_fields} header fields.")

    def _count_head(self, size: int) -> None:
        self._head += size
        if self._head > self.limits.head_bytes:
            raise HeadTooLarge

    def on_headers_complete(self) -> None:
        """Start the request; raises MalformedRequest where its end would be ambiguous."""
        self._unparsed = 0
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
        self._enter(Phase.BODY, self.limits.pause_seconds)

    def _should_upgrade(self) -> bool:
        return False

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body, and extend the deadline by the time that its size allows."""
        self._unparsed = 0
        self._body += len(body)
        if self._deadline.at is not None and not self.cycle.response_complete:
            earned = self._deadline.at + len(body) / self.limits.bytes_per_second
            self._deadline.at = min(self.loop.time() + self.limits.pause_seconds, earned)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Remove the deadline; start the keep-alive timeout if the response is complete."""
        if self._is_upgrade:
            return
        self._unparsed = 0
        self._enter(Phase.NOTHING, None)
        super().on_message_complete()
        if self.cycle.response_complete and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        """Set a deadline for the rest of the body, which is discarded."""
        super().on_response_complete()
        self._since = self.loop.time()
        if self._phase is not Phase.BODY or not self.cycle.response_complete:
            return
        if self.expect_100_continue and not self._body:
            self.transport.close()  # the client may or may not send the body
        else:
            self._deadline.set(self.limits.drain_seconds)

    # --- Refusals ---------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        """Refuse with a problem; the base class would send plain text."""
        self._refuse(MalformedRequest(msg))

    def _refuse(self, error: IntegrationError) -> None:
        """Send a problem and close, or close after the responses that are due before it."""
        self._has_refused = True
        self._deadline.clear()
        source = self.client[0] if self.client else None
        log.info("request refused", problem=error.code, detail=error.detail, source=source)
        if cycle := self._open_cycle:
            if self._phase is not Phase.BODY:
                cycle.keep_alive = False
                return
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started or self.pipeline:
                self.transport.abort()
                return
        self.transport.write(problem_response(error, self.server_state.default_headers))
        self.transport.write_eof()
        # An immediate close could lose the response for a client that is still sending.
        self._deadline.set(self.limits.drain_seconds)
