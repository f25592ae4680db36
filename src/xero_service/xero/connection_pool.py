"""aiohttp's connection pool and response, with what rule 10 asks beyond them.

A connection is used again only if its last request was sent whole before the response ended, the
response was read whole, and nothing came after it (RFC 9112 §9.3, §9.6).
"""

import select
from functools import cache
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler

if TYPE_CHECKING:
    from aiohttp.tracing import Trace

CONNECTIONS_AT_MOST = 1000
UNUSED_SECONDS = 5.0  # how long a connection is kept for the next request


@cache
def proxy_for(scheme: str, host: str) -> str | None:
    """Return the URL of the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY set for a host.

    aiohttp would read the environment, and .netrc, with every request.
    """
    return None if proxy_bypass(host) else getproxies().get(scheme)


class PooledResponse(aiohttp.ClientResponse):
    """A response whose end does not cut its request short, as aiohttp's own would.

    While the request is under way, the end of the response neither cancels the upload nor returns
    the connection to the pool: `AiohttpTransport` closes that connection.
    """

    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Read the head; close a connection that the server switches to another protocol."""
        protocol = connection.protocol
        started = await super().start(connection)
        if self.status == 101 and protocol is not None:
            protocol.close()
        return started

    def _response_eof(self) -> None:
        if self._writer is None:
            super()._response_eof()

    def stop_upload(self) -> None:
        """Send no more of the request and close the connection; what is here can be read."""
        if self._writer is not None:
            self._writer.cancel()

    def abort(self) -> None:
        """Close the connection at once, without sending what waits to be sent."""
        if self.connection is not None and self.connection.transport is not None:
            self.connection.transport.abort()


class ConnectionPool(aiohttp.TCPConnector):
    """A pool that closes an idle connection on which the server has sent anything."""

    def __init__(self) -> None:
        super().__init__(limit=CONNECTIONS_AT_MOST, keepalive_timeout=UNUSED_SECONDS)
        self._used = WeakSet[ResponseHandler]()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: "list[Trace]",
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's name
    ) -> aiohttp.connector.Connection:
        """Return a new connection, or an idle one that was silent since its last response."""
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
    """Whether nothing was read since the last response, and nothing waits in the socket."""
    transport = protocol.transport
    if transport is None or protocol.should_close:
        return False
    waiting = select.poll()
    waiting.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return not waiting.poll(0)
