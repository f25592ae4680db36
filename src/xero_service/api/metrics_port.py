"""METRICS_PORT: the operations routes on a port of their own, in the event loop that does the work.

So a loop that is stuck answers nobody. The port is open until all that is under way is finished:
longer than the API's, and as long as there is something to tell.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from xero_service import wiring
from xero_service.api import ops, problems
from xero_service.api.application import new_application
from xero_service.api.graceful_shutdown import SHUTTING_DOWN, ShutdownState
from xero_service.api.http_protocol import BoundedHttp
from xero_service.api.middleware import SecurityHeaders
from xero_service.errors import ConfigError
from xero_service.settings import Settings
from xero_service.telemetry import Metrics
from xero_service.wiring import Services

OPEN_REQUESTS_SECONDS = 1


def listen(settings: Settings, *, api_port: int | None = None) -> socket.socket | None:
    """Open METRICS_PORT, or return None where there is none.

    Raises ConfigError where it is `api_port`, or cannot be had.
    """
    host, port = settings.metrics_host, settings.metrics_port
    if port is None:
        return None
    if port == api_port:
        raise ConfigError(f"METRICS_PORT is the port of the API, {port}; choose another.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        return socket.create_server(address, family=family)
    except OSError as error:
        # Python's text repeats the address; where there is none the resolver has its own numbers.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror
        raise ConfigError(
            f"METRICS_PORT cannot be opened at {host}, port {port}: {reason}."
        ) from error


@asynccontextmanager
async def services_with_metrics_port(
    settings: Settings, metrics: Metrics, port: "MetricsPort | None"
) -> AsyncIterator[Services]:
    """Build the services, with the metrics port around them: the last that closes."""
    async with AsyncExitStack() as stack:
        if port is not None:
            stack.push_async_callback(port.close)
        services = await stack.enter_async_context(wiring.services(settings, metrics))
        if port is not None:
            port.open(services)
        yield services


class MetricsPort:
    """A server of the operations routes, and of nothing else."""

    def __init__(self, listener: socket.socket, shutdown: ShutdownState) -> None:
        """Prepare; connections to `listener` wait until `open`."""
        self._listener = listener
        self._app = new_application(openapi_url=None)
        self._app.include_router(ops.router)
        problems.install(self._app)
        self._app.add_middleware(SecurityHeaders, https=False)
        self._app.add_middleware(_RequestContext, shutdown=shutdown)
        self._server = _Server(
            uvicorn.Config(
                self._app,
                http=BoundedHttp,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=OPEN_REQUESTS_SECONDS,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    def open(self, services: Services) -> None:
        """Answer from now on."""
        self._app.state.services = services
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))

    async def close(self) -> None:
        """Answer what was asked, and close the port."""
        self._server.should_exit = True
        if self._serving is None:
            self._listener.close()
        else:
            await self._serving


class _Server(uvicorn.Server):
    """A server beside another, or beside a command, which take the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _RequestContext:
    """Gives each request an id, and neither counts nor logs it: a scrape is no use of the API."""

    def __init__(self, app: ASGIApp, *, shutdown: ShutdownState) -> None:
        self._app, self._shutdown = app, shutdown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["request_id"] = os.urandom(16).hex()
        if self._shutdown.has_begun:
            scope[SHUTTING_DOWN] = True
        await self._app(scope, receive, send)
