"""A host in Xero's place that records what reaches it and answers as a test says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from tests.service_api.callers import Service, served
from tests.service_api.conftest import Connected
from tests.world import Application
from tests.xero.raw_http import Wire, listening, saying

Answering = Callable[[Request], Awaitable[Response]]


@dataclass
class Upstream:
    """What was asked of the host, and how it answers."""

    application: Application
    answering: Answering
    address: str = ""
    requests: list[Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.requests.append(request)
        response = await self.answering(request)
        await response(scope, receive, send)

    async def plainly(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        return PlainTextResponse("from Xero")


@asynccontextmanager
async def instead_of_xero(
    application: Application, answering: Answering | None = None
) -> AsyncIterator[Upstream]:
    """Let the proxy of this replica call a host of the test's own."""
    upstream = Upstream(application, answering or _unset)
    if answering is None:
        upstream.answering = upstream.plainly
    services = application.services
    async with served(upstream) as address:
        upstream.address = address
        proxy = replace(services.proxy, api_url=address)
        application.app.state.services = replace(services, proxy=proxy)
        try:
            yield upstream
        finally:
            application.app.state.services = services


@asynccontextmanager
async def raw_upstream(application: Application, answer: bytes) -> AsyncIterator[Wire]:
    """Let the proxy of this replica call a server that answers with exactly these bytes."""
    services = application.services
    async with listening(saying(answer)) as wire:
        proxy = replace(services.proxy, api_url=wire.url)
        application.app.state.services = replace(services, proxy=proxy)
        try:
            yield wire
        finally:
            application.app.state.services = services


async def _unset(_: Request) -> Response:
    raise AssertionError


@asynccontextmanager
async def over_the_network(application: Application, billing: Service) -> AsyncIterator[Service]:
    """The same service, over a real connection: bodies stream, and it can hang up."""
    async with (
        served(application.app) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client,
    ):
        yield replace(billing, http=client)


async def slots(connected: Connected) -> int:
    """How many of the tenant's slots are taken."""
    found = await connected.world.database.fetchval(
        "SELECT count(*) FROM call_budgets, jsonb_object_keys(slots)"
    )
    return int(found)
