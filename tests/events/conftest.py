"""A service that reads events, and events that a test adds by hand."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.service_api.callers import Service, service
from tests.world import ACME, Application, World
from xero_service.settings import Settings

ADD = (
    "INSERT INTO events (id, occurred_at, kind, org_id, data)"
    " VALUES ($1, clock_timestamp(), 'binding.renamed', $2, jsonb_build_object('name', $3::text))"
)


async def add(connection: asyncpg.Connection, name: str, org_id: str | None = ACME) -> None:
    """Add an event as a slow or a quick transaction would; `name` tells it apart."""
    await connection.execute(ADD, uuid4(), org_id, name)


async def session_of(world: World) -> asyncpg.Connection:
    """Another session of the database."""
    connection = await asyncpg.connect(world.application.settings.database_url.get_secret_value())
    world.stack.push_async_callback(connection.close)
    return connection


async def page(reader: Service, **query: Any) -> dict[str, Any]:
    answer = await reader.request("GET", "/events", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def kinds(reader: Service) -> list[str]:
    """The kinds of all events of the reader's org, oldest first."""
    return [event["kind"] for event in (await page(reader, limit=200))["events"]]


@pytest.fixture
async def reader(world: World) -> AsyncIterator[Service]:
    found = await service(world.application, "events:read")
    async with found.http:
        yield found


@pytest.fixture
async def replica(settings: Settings) -> AsyncIterator[Application]:
    """A second replica on the same database."""
    async with Application.running(settings) as running:
        yield running
