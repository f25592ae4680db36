"""METRICS_PORT: the operations routes on a port of their own, in the event loop of the work.

So a blocked event loop fails the health check. The port closes last, after the API's, when
background work has finished.
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
from xero_service.telemetry import Metrics, event_loop
from xero_service.wiring import Services

OPEN_REQUESTS_SECONDS = 1


def listen(settings: Settings, *, api_port: int | None = None) -> socket.socket | None:
    """Return a listening socket on METRICS_PORT, or None where it is not set.

    Raises ConfigError where it is `api_port`, or cannot be opened.
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
        # Python's text repeats the address; a failed resolution has a number that is no errno.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror
        raise ConfigError(
            f"METRICS_PORT cannot be opened at {host}, port {port}: {reason}."
        ) from error


@asynccontextmanager
async def services_with_metrics_port(
    settings: Settings, metrics: Metrics, port: "MetricsPort | None"
) -> AsyncIterator[Services]:
    """Build, check and announce this replica; its metrics port opens first and closes last.

    The event loop and the pools are measured meanwhile: with several workers, one scrape reports
    the pools of all, as each has last measured them.
    """
    async with AsyncExitStack() as stack:
        if port is not None:
            stack.push_async_callback(port.close)
        services = await stack.enter_async_context(wiring.services(settings, metrics))
        if port is not None:
            port.open(services)
        await wiring.check_before_serving(services.database)
        services.replicas.start()
        watch = event_loop.watch(metrics.loop_lag, services.state_metrics.measure_process)
        watching = asyncio.create_task(watch)
        try:
            yield services
        finally:
            watching.cancel()
            await asyncio.wait({watching})


class MetricsPort:
    """A server for the operations routes."""

    def __init__(self, listener: socket.socket, shutdown: ShutdownState) -> None:
        """Build the server; connections to `listener` wait until `open`."""
        self._listener = listener
        self._app = new_application(openapi_url=None)
        self._app.router.routes.extend(ops.router.routes)
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
        """Start serving."""
        self._app.state.services = services
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))

    async def close(self) -> None:
        """Finish open requests, then close the port."""
        self._server.should_exit = True
        if self._serving is None:
            self._listener.close()
        else:
            await self._serving


class _Server(uvicorn.Server):
    """A server without signal handlers: the API's server or the command has them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _RequestContext:
    """Assigns a request id; scrapes are neither counted nor logged as requests of the API."""

    def __init__(self, app: ASGIApp, *, shutdown: ShutdownState) -> None:
        self._app, self._shutdown = app, shutdown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["request_id"] = os.urandom(16).hex()
        if self._shutdown.has_begun:
            scope[SHUTTING_DOWN] = True
        await self._app(scope, receive, send)
