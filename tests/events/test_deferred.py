"""R28: an event goes with the record of its change, and without one before the commit."""

from uuid import UUID

import pytest

from tests.events.conftest import kinds, page
from tests.service_api.callers import Service
from tests.world import ACME, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.domain import SYSTEM, AuditAction, AuditEvent, Event, EventKind

RECORD = AuditEvent(SYSTEM, AuditAction.BINDING_SUSPENDED)
CONNECTED, SUSPENDED, RENAMED = "binding.connected", "binding.suspended", "binding.renamed"


@pytest.mark.parametrize("records", [0, 1, 2])
async def test_each_event_is_added_once_with_its_delivery_however_many_records_follow(
    world: World, reader: Service, records: int
) -> None:
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await world.services.webhooks.create(SYSTEM, url="http://localhost/", org_id=ACME, kinds=())

    async with world.services.database.transaction() as tx:
        await tx.bindings.suspend(UUID(binding["id"]))
        await tx.audit.add(*[RECORD] * records)

    assert await kinds(reader) == [CONNECTED, SUSPENDED]
    assert await world.database.fetchval("SELECT count(*) FROM webhook_deliveries") == 1


async def test_events_of_one_transaction_keep_their_order(world: World, reader: Service) -> None:
    """A deferred one is before those that were added after it."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)

    async with world.services.database.transaction() as tx:
        await tx.bindings.suspend(UUID(binding["id"]))
        await tx.events.add(Event(EventKind.BINDING_RENAMED, ACME))
        await tx.audit.add(RECORD)

    assert await kinds(reader) == [CONNECTED, SUSPENDED, RENAMED]


async def suspends_and_fails(world: World, binding_id: UUID) -> None:
    async with world.services.database.transaction() as tx:
        await tx.bindings.suspend(binding_id)
        raise ZeroDivisionError


async def test_a_change_that_is_rolled_back_leaves_no_event(world: World, reader: Service) -> None:
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    before = await page(reader)

    with pytest.raises(ZeroDivisionError):
        await suspends_and_fails(world, UUID(binding["id"]))

    assert await page(reader) == before
