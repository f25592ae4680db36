"""Internal services as callers: a key, an address, and a few words for what they do."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.types import ASGIApp

from tests.world import ACME, Application, until
from xero_service.api.http_protocol import BoundedHttp
from xero_service.app import PREFIX
from xero_service.domain import SYSTEM, Scope
from xero_service.services.service_keys.keys import NewKey

ALL = tuple(scope.value for scope in Scope)
ORGANISATION = "api.xro/2.0/Organisation"
JSON = {"Accept": "application/json"}


@dataclass(frozen=True)
class Service:
    """An internal service with a key, talking to one replica."""

    made: NewKey
    http: httpx.AsyncClient = field(repr=False)
    org_id: str | None = None

    def naming(self, org_id: str | None) -> "Service":
        """The same service, naming an org in X-Org-Id."""
        return replace(self, org_id=org_id)

    def presenting(self, secret: str) -> "Service":
        return replace(self, made=replace(self.made, secret=secret))

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.made.secret}", **options.pop("headers", {})}
        if self.org_id:
            headers["X-Org-Id"] = self.org_id
        return await self.http.request(method, PREFIX + path, headers=headers, **options)

    async def token(self, binding_id: str, **wish: Any) -> httpx.Response:
        body = {"json": wish} if wish else {}
        return await self.request("POST", f"/bindings/{binding_id}/token", **body)

    async def calls(
        self, binding_id: str, path: str = ORGANISATION, method: str = "GET", **options: Any
    ) -> httpx.Response:
        headers = {**JSON, **options.pop("headers", {})}
        return await self.request(
            method, f"/bindings/{binding_id}/api/{path}", headers=headers, **options
        )


async def service(
    application: Application,
    *scopes: str,
    org_id: str | None = ACME,
    name: str = "billing",
    expires_at: datetime | None = None,
    source: str = "127.0.0.1",
    http: httpx.AsyncClient | None = None,
) -> Service:
    """Make a key, and a service that calls this replica from an address of its own."""
    made = await application.services.keys.create(
        SYSTEM, name=name, org_id=org_id, scopes=scopes or ALL, expires_at=expires_at
    )
    return Service(made, http or client_of(application, source=source))


def client_of(application: Application, *, source: str = "127.0.0.1") -> httpx.AsyncClient:
    """A client that gets the answer to an unexpected error too, as over a network."""
    transport = httpx.ASGITransport(application.app, raise_app_exceptions=False, client=(source, 1))
    return httpx.AsyncClient(
        transport=transport, base_url=application.settings.public_url, timeout=60
    )


def problem(response: httpx.Response) -> tuple[int, str]:
    """The status and code of a failure, which is always a problem document."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["code"]


@asynccontextmanager
async def served(app: ASGIApp, *, protocol: type[BoundedHttp] = BoundedHttp) -> AsyncIterator[str]:
    """Serve an application on a loopback port, in this event loop, and yield its address."""
    config = uvicorn.Config(
        app,
        port=0,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: now(server.started))
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = server.force_exit = True
        await serving


async def idle(application: Application) -> None:
    """Wait until all that requests left behind is done."""
    background = application.services.authorizer.background
    await asyncio.sleep(0)  # what was just reported is heard in the loop's next turn
    await until(lambda: now(not len(background)))


async def now(true: bool) -> bool:
    return true


async def raw_exchange(address: str, head: Sequence[str], body: bytes = b"") -> tuple[int, bytes]:
    """Send bytes exactly as they are; return the status and everything that came back."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write("\r\n".join([*head, "Connection: close", "", ""]).encode("latin-1") + body)
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()
    status = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    assert status, answer
    return int(status[1]), answer
