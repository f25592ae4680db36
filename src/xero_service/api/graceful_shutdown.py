"""Graceful shutdown: /readyz announces it for some seconds before the server closes the port.

A load balancer sends requests until its next check of /readyz, and clients keep connections open.
So the first SIGTERM changes two things only: /readyz responds 503, and every response closes its
connection. After the notice the server receives the signal, accepts no more connections and
finishes open requests. A second SIGTERM, or SIGINT, ends the notice. METRICS_PORT stays open, and
its /readyz responds 503, until the process has finished.
"""

import asyncio
import signal
from dataclasses import dataclass
from types import FrameType
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xero_service.telemetry import logger

SHUTTING_DOWN = "xero_service.is_shutting_down"  # in the scope of each request during a shutdown
_STATE = "xero_service.shutdown_state"

log = logger(__name__)


@dataclass
class ShutdownState:
    """Whether this process has begun to shut down; all its ports share the state."""

    has_begun: bool = False


def is_shutting_down(scope: Scope) -> bool:
    """Return whether the process has begun to shut down since this request began, or before."""
    state = scope.get(_STATE)
    return isinstance(state, ShutdownState) and state.has_begun


class GracefulShutdown:
    """Outermost middleware; it also delays the signals to the server's handlers."""

    def __init__(
        self, app: ASGIApp, *, notice: float, shutdown: ShutdownState | None = None
    ) -> None:
        """`notice`: seconds between SIGTERM and the server's handler for it."""
        self._app, self._notice = app, notice
        self._shutdown = shutdown or ShutdownState()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""

        async def send_and_watch(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._watch_for_signals()
            if message["type"] == "http.response.start" and self._shutdown.has_begun:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        scope[_STATE] = self._shutdown
        if self._shutdown.has_begun:
            scope[SHUTTING_DOWN] = True
        await self._app(scope, receive, send_and_watch)

    def _watch_for_signals(self) -> None:
        """Replace the server's signal handlers, which it has installed before the lifespan."""
        loop = asyncio.get_running_loop()
        on_sigterm, on_sigint = map(signal.getsignal, (signal.SIGTERM, signal.SIGINT))
        if not callable(on_sigterm) or not callable(on_sigint):
            return

        def begin(number: int) -> None:
            log.info("leaving", notice_seconds=self._notice)
            loop.call_later(self._notice, on_sigterm, number, None)

        def on_notice(number: int, frame: FrameType | None) -> Any:
            had_begun, self._shutdown.has_begun = self._shutdown.has_begun, True
            if had_begun or self._notice == 0:
                return on_sigterm(number, frame)
            return loop.call_soon_threadsafe(begin, number)

        def on_interrupt(number: int, frame: FrameType | None) -> Any:
            self._shutdown.has_begun = True
            return on_sigint(number, frame)

        signal.signal(signal.SIGTERM, on_notice)
        signal.signal(signal.SIGINT, on_interrupt)
