"""Serves a sandbox with uvicorn on a socket that is already bound."""

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI


class SandboxServer(uvicorn.Server):
    """A uvicorn server with a callback when ready; on shutdown it resumes held requests."""

    def __init__(self, app: FastAPI, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                ws="none",
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=1,
                # Longer than clients keep idle connections, so that the client closes first.
                timeout_keep_alive=75,
            )
        )
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then call `on_ready`."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Resume the requests that faults hold, then stop."""
        await self._app.state.sandbox.faults.clear()
        await super().shutdown(sockets)


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a bound socket, whose port is known before serving; port 0 selects a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the socket names its protocol.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound
