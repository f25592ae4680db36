"""Many grants expire at the same moment: Xero sees a bounded number of refreshes (R17)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from tests.clock import time_passes
from tests.outages.many_grants import Member, crowd
from tests.world import ACME, World, until
from xero_sandbox.client import SandboxError
from xero_service.errors import ExternalAPIError, ServiceBusy
from xero_service.services.tokens import refresh
from xero_service.timeouts import REFRESH_WAIT_SECONDS

UPKEEP_AT_ONCE, CALLERS_AT_ONCE = 32, 1000  # as R17 has them
A_FEW = 20
A_BUSY_MACHINE = 5.0  # seconds that a deadline may be late


@pytest.fixture
def few_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers' refreshes bounded at a number that a test reaches in no time."""
    monkeypatch.setattr(refresh, "AT_ONCE", A_FEW)


async def no_more_than(
    world: World, at_once: int, work: Callable[[], Awaitable[object]], members: Sequence[Member]
) -> None:
    """Let the work refresh all members; at no time does Xero have more than so many at once."""
    hold = world.hold("token.refresh", times=None)
    working = asyncio.ensure_future(work())

    async def so_many_are_held() -> bool:
        ended = working.done()
        (held,) = await asyncio.to_thread(world.sandbox.faults)
        if ended:
            await working
            pytest.fail(f"It ended after {held['struck']} refreshes.")
        return bool(held["holding"] >= at_once)

    await until(so_many_are_held, within=90)
    with pytest.raises(SandboxError, match=f"Only {at_once} requests are held"):
        await asyncio.to_thread(world.sandbox.wait_until_held, hold.id, at_once + 1, timeout=0.5)
    await hold.release()
    await working
    assert len(world.calls("token.refresh")) == len(members)
    renewed = await world.database.fetchval(
        "SELECT count(*) FROM integration_grants WHERE generation = 2"
    )
    assert renewed == len(members)


async def test_upkeep_has_at_most_32_refreshes_under_way_r17(world: World) -> None:
    members = await crowd(world, UPKEEP_AT_ONCE + 8, days=50)

    await no_more_than(world, UPKEEP_AT_ONCE, world.services.upkeep.round, members)


async def all_read(world: World, members: Sequence[Member]) -> list[UUID]:
    """Ask for every member's token at the same moment; return which were told to come back."""

    async def read(member: Member) -> UUID | None:
        began = time.monotonic()
        try:
            await world.services.tokens.get_client_for_tenant_binding(member.binding_id, ACME)
        except (ServiceBusy, ExternalAPIError) as told:
            assert told.retry_after  # noqa: PT017
            return member.binding_id
        finally:
            assert time.monotonic() - began < REFRESH_WAIT_SECONDS + A_BUSY_MACHINE
        return None

    outcomes = await asyncio.gather(*map(read, members))
    return [found for found in outcomes if found]


@pytest.mark.usefixtures("few_slots")
async def test_callers_refreshes_are_bounded_and_each_is_served_in_its_turn_r17(
    few_slots: None, world: World
) -> None:
    members = await crowd(world, A_FEW + 10)

    async def served() -> None:
        assert await all_read(world, members) == []

    await no_more_than(world, A_FEW, served, members)


async def test_what_upkeep_refreshes_ahead_is_spread_over_minutes_r17(world: World) -> None:
    """Grants in use that expire together, 15 minutes from now, are not renewed in one round."""
    members = await crowd(world, 60, expires_in=timedelta(minutes=14, seconds=58))
    await world.database.execute("UPDATE integration_grants SET last_used_at = now()")
    renewed = []

    for _ in range(20):
        await world.services.upkeep.round()
        renewed.append(len(world.calls("token.refresh")))
        await time_passes(world.database, 15)

    assert renewed[-1] == len(members)  # all of them before a reader would have to wait
    each_round = [after - before for before, after in zip([0, *renewed], renewed, strict=False)]
    assert max(each_round) < len(members) / 3


@pytest.mark.soak
async def test_five_thousand_grants_expire_together_r17(world: World) -> None:
    members = await crowd(world, 5000)
    world.sandbox.latency(200)
    began = time.monotonic()

    left = await all_read(world, members)
    while left:
        await asyncio.sleep(1)
        left = await all_read(world, [each for each in members if each.binding_id in set(left)])

    assert len(world.calls("token.refresh")) == len(members)
    assert time.monotonic() - began < 300


@pytest.mark.soak
async def test_a_thousand_callers_refreshes_at_once_and_not_one_more_r17(world: World) -> None:
    members = await crowd(world, CALLERS_AT_ONCE + 100)
    refresh = world.services.tokens.refresh_grant_single_flight

    async def all_refresh() -> None:
        await asyncio.gather(*(refresh(each.grant_id, max_wait=200) for each in members))

    await no_more_than(world, CALLERS_AT_ONCE, all_refresh, members)
