"""Serves a sandbox with uvicorn on a socket bound beforehand."""

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI


class SandboxServer(uvicorn.Server):
    """A uvicorn server that says when it is ready, and lets held requests go when it stops."""

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
                # Longer than clients keep a connection: who asks is who closes.
                timeout_keep_alive=75,
            )
        )
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then tell."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Release what faults hold, then stop."""
        await self._app.state.sandbox.faults.clear()
        await super().shutdown(sockets)


def bound_socket(host: str, port: int) -> socket.socket:
    """Bind before serving, so that the address is known; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound
