"""The client library's connection pool, with what rule 10 asks beyond it.

A connection is used again only if its last request was sent whole before the answer ended, the
answer was read whole, and nothing came after it (RFC 9112 §9.3, §9.6).
"""

import select
from typing import TYPE_CHECKING
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler

if TYPE_CHECKING:
    from aiohttp.tracing import Trace


class Response(aiohttp.ClientResponse):
    """An answer whose end does not cut its request short, as the library would.

    It neither stops the request nor gives the connection back: `asking` closes that one.
    """

    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Read the answer's head; a connection that is to become another protocol's ends here."""
        protocol = connection.protocol
        started = await super().start(connection)
        if self.status == 101 and protocol is not None:
            protocol.close()
        return started

    def _response_eof(self) -> None:
        if self._writer is None:
            super()._response_eof()

    def stop_request(self) -> None:
        """Send no more of the request, and close the connection; what is here can be read."""
        if self._writer is not None:
            self._writer.cancel()

    def abort(self) -> None:
        """Close the connection at once: bytes that wait to be sent would keep it open."""
        if self.connection is not None and self.connection.transport is not None:
            self.connection.transport.abort()


class Pool(aiohttp.TCPConnector):
    """A pool that drops connections on which something came that nobody asked for."""

    def __init__(self, *, limit: int, keepalive_timeout: float) -> None:
        """`limit`: of open connections; `keepalive_timeout`: seconds that one may be idle."""
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout)
        self._used = WeakSet[ResponseHandler]()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: "list[Trace]",
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the library's name
    ) -> aiohttp.connector.Connection:
        """Return a new connection, or one that was silent since its last answer ended."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None or protocol not in self._used:
                break
            if _is_silent(protocol):
                return connection
            connection.close()
        if protocol is not None:
            self._used.add(protocol)
        return connection


def _is_silent(protocol: ResponseHandler) -> bool:
    """Whether nothing was read since the last answer, and nothing waits in the socket."""
    transport = protocol.transport
    if transport is None or protocol.should_close:
        return False
    waiting = select.poll()
    waiting.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return not waiting.poll(0)
