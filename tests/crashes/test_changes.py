"""R28: a process dies before or after it commits a change: the change and its event go together.

Each kind of change is killed on both sides of its commit. Then it is made once more, as its caller
or upkeep would: there is exactly one event, and the endpoint has it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from tests.crashes.conftest import Doom
from tests.crashes.crash_process import DEEDS
from tests.events.receiver import receiving
from tests.world import Person, World, until
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING
from xero_service.domain import SYSTEM
from xero_service.errors import IntegrationError
from xero_service.failpoints import Place

Told = dict[str, Any]
Prepare = Callable[[World, Person], Awaitable[Told]]


@dataclass(frozen=True)
class Change:
    """What a process does, what must be so before, and the events of it."""

    deed: str
    prepare: Prepare
    kinds: tuple[str, ...]


async def connected(world: World, admin: Person) -> Told:
    binding = await admin.connects(ACME_TRADING)
    return {"binding": binding["id"], "grant": binding["grantId"]}


async def consented(world: World, admin: Person) -> Told:
    return {"grant": (await admin.consents(ACME_TRADING)).grant_id, "tenant": ACME_TRADING}


async def suspended(world: World, admin: Person) -> Told:
    told = await connected(world, admin)
    await world.services.operators.suspend(SYSTEM, UUID(told["binding"]))
    return told


async def refused_by_xero(world: World, admin: Person) -> Told:
    told = await connected(world, admin)
    world.sandbox.switch(disconnectInXero="kills_grant")
    world.sandbox.disconnect(ACME_BOOKKEEPER.xero_user_id, ACME_TRADING)
    await world.ages(told["grant"], expires_in="-1 minute")
    return told


async def lost_in_xero(world: World, admin: Person) -> Told:
    told = await connected(world, admin)
    world.sandbox.disconnect(ACME_BOOKKEEPER.xero_user_id, ACME_TRADING)
    return told


async def renamed_in_xero(world: World, admin: Person) -> Told:
    told = await connected(world, admin)
    world.sandbox.rename_org(ACME_TRADING, "Acme Renamed Ltd")
    return told


async def grown_old(world: World, admin: Person) -> Told:
    told = await connected(world, admin)
    await world.ages(told["grant"], days=51)
    return told


async def without_a_scope(world: World, admin: Person) -> Told:
    told = await connected(world, admin)
    await world.database.execute("UPDATE integration_grants SET scopes = '{openid}'")
    return told


CHANGES = [
    Change("select", consented, ("binding.connected",)),
    Change("refresh", refused_by_xero, ("binding.needs_reauth",)),
    Change("warn", grown_old, ("binding.expiring",)),
    Change("warn", without_a_scope, ("binding.permissions_missing",)),
]
OTHER_CHANGES = [
    Change("disconnect", connected, ("binding.disconnected",)),
    Change("suspend", connected, ("binding.suspended",)),
    Change("resume", suspended, ("binding.resumed",)),
    Change("reconcile", lost_in_xero, ("binding.needs_reauth",)),
    Change("reconcile", renamed_in_xero, ("binding.renamed",)),
]


@pytest.mark.parametrize(
    "place", [Place.EVENTS_ADDED, Place.EVENTS_COMMITTED], ids=lambda p: p.name
)
@pytest.mark.parametrize(
    "change",
    [*CHANGES, *(pytest.param(each, marks=pytest.mark.soak) for each in OTHER_CHANGES)],
    ids=lambda change: f"{change.deed}, {change.prepare.__name__}",
)
async def test_a_change_has_one_event_though_its_process_dies(
    world: World, doom: Doom, change: Change, place: Place
) -> None:
    async with receiving(world) as receiver:
        told = await change.prepare(world, await world.acme_admin())
        before, at_first = await kinds(world), await state(world)

        await asyncio.to_thread(doom.at, place, change.deed, **told)

        is_committed = place is Place.EVENTS_COMMITTED
        assert (await kinds(world))[len(before) :] == (change.kinds if is_committed else ())
        assert (await state(world) != at_first) == is_committed

        await leases_end(world)
        for _ in range(2):
            with contextlib.suppress(IntegrationError):
                await DEEDS[change.deed](world.services, told)
        assert (await kinds(world))[len(before) :] == change.kinds
        assert await state(world) != at_first
        await world.services.deliveries.deliver_due()
        rows = await world.database.fetch("SELECT id FROM events ORDER BY position")
        assert [each["id"] for each in receiver.events()] == [
            f"evt_{row['id'].hex}" for row in rows
        ]


async def kinds(world: World) -> tuple[str, ...]:
    """The kinds of all events, in order."""
    rows = await world.database.fetch("SELECT kind FROM events ORDER BY position")
    return tuple(row["kind"] for row in rows)


async def state(world: World) -> list[tuple[Any, ...]]:
    """What events report of bindings."""
    rows = await world.database.fetch(
        "SELECT status, external_tenant_name, expiring_since IS NULL, missing_scopes"
        " FROM integration_tenant_bindings ORDER BY id"
    )
    return [tuple(row) for row in rows]


async def leases_end(world: World) -> None:
    """Let the dead process's transaction, leases and open attempt be over, as time would."""

    async def is_gone() -> bool:
        return not await world.database.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'idle in transaction'"
        )

    await until(is_gone)
    await world.database.execute(
        "UPDATE integration_grants SET lease_until = NULL, next_refresh_at = NULL,"
        " refresh_sent_at = refresh_sent_at - interval '10 minutes'"
    )
