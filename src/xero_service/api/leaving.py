"""How a process leaves without failing a request: it says so before it closes the port.

A balancer sends requests here until it has looked at /readyz once more, and clients keep
connections open. So the first SIGTERM changes two things only: /readyz answers 503, and every
answer closes its connection. After the notice the server hears of the signal, takes no more
connections and finishes what is open. A second SIGTERM, or SIGINT, cuts the notice short.
"""

import asyncio
import signal
from types import FrameType
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xero_service.telemetry import logger

IS_LEAVING = "xero_service.is_leaving"  # in the scope of a request, where it is so

log = logger(__name__)


class Leaving:
    """Stands around the application, between the server's signal handler and the signal."""

    def __init__(self, app: ASGIApp, *, notice: float) -> None:
        """`notice`: seconds between the signal and the server's hearing of it."""
        self._app, self._notice = app, notice
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the application's life."""

        async def send_and_watch(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._watch_for_sigterm()
            if message["type"] == "http.response.start" and self._has_begun:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if self._has_begun:
            scope[IS_LEAVING] = True
        await self._app(scope, receive, send_and_watch)

    def _watch_for_sigterm(self) -> None:
        """Take the signal from the server, whose handler is in place by now."""
        loop, server = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
        if self._notice == 0 or not callable(server):
            return

        def tell_the_server(number: int, frame: FrameType | None) -> Any:
            return server(number, frame)

        def begin(number: int) -> None:
            log.info("leaving", notice_seconds=self._notice)
            loop.call_later(self._notice, tell_the_server, number, None)

        def on_signal(number: int, frame: FrameType | None) -> None:
            if self._has_begun:
                tell_the_server(number, frame)
                return
            self._has_begun = True
            loop.call_soon_threadsafe(begin, number)

        signal.signal(signal.SIGTERM, on_signal)
