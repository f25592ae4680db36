"""Runs a sandbox in a thread of the test's process, on a free loopback port."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from xero_sandbox.app import create_app
from xero_sandbox.client import SandboxClient
from xero_sandbox.config import SandboxConfig
from xero_sandbox.server import SandboxServer, bound_socket

_START_SECONDS = 20


@contextmanager
def running_sandbox(
    config: SandboxConfig | None = None, *, host: str = "127.0.0.1"
) -> Iterator[SandboxClient]:
    """Yield a client of a new sandbox; its actual address replaces the config's base_url."""
    socket = bound_socket(host, 0)
    base_url = f"http://{host}:{socket.getsockname()[1]}"
    ready = threading.Event()
    app = create_app(replace(config or SandboxConfig(), base_url=base_url))
    server = SandboxServer(app, ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    try:
        if not ready.wait(_START_SECONDS):
            raise RuntimeError("The sandbox did not start.")
        with SandboxClient(base_url) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)
        socket.close()
