"""No room, or somebody else's turn: a caller hears so in time and is told when to come back."""

import asyncio
import time
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest

from tests.outages.conftest import LEASE_SECONDS
from tests.service_api.callers import Service, problem, service
from tests.world import World
from xero_sandbox.samples import ACME_TRADING
from xero_service.errors import ExternalAPIError, ServiceBusy
from xero_service.store.pools import split_pool_size
from xero_service.timeouts import POOL_WAIT_SECONDS

BRIEFLY = 0.05


async def binding_held_by_another_process(world: World, *, for_: str) -> str:
    admin = await world.acme_admin()
    found = await admin.connects(ACME_TRADING)
    await world.ages(found["grantId"], expires_in="-1 minute")
    await world.database.execute(
        "UPDATE integration_grants SET lease_holder = $1, lease_until = now() + $2::text::interval",
        uuid4(),
        for_,
    )
    return str(found["id"])


@pytest.mark.usefixtures("hasty")
async def test_who_waits_for_anothers_refresh_gives_up_at_a_deadline_and_never_sends_r18(
    world: World,
) -> None:
    binding_id = await binding_held_by_another_process(world, for_="1 hour")
    billing = await service(world.application)
    began = time.monotonic()

    async with billing.http:
        answer = await billing.token(binding_id)

    assert problem(answer) == (503, "service_busy")
    assert int(answer.headers["retry-after"]) >= 1
    assert time.monotonic() - began >= LEASE_SECONDS
    assert world.calls("token.refresh") == []


async def test_who_has_less_patience_gives_up_earlier_and_never_sends_r18(world: World) -> None:
    binding_id = await binding_held_by_another_process(world, for_="20 s")
    grant_id = await world.database.fetchval(
        "SELECT active_grant_id FROM integration_tenant_bindings WHERE id = $1", UUID(binding_id)
    )

    with pytest.raises((ExternalAPIError, ServiceBusy)) as raised:
        await world.services.tokens.refresh_grant_single_flight(grant_id, max_wait=BRIEFLY)

    assert raised.value.retry_after
    assert await world.database.fetchval(
        "SELECT lease_until > clock_timestamp() FROM integration_grants WHERE id = $1", grant_id
    )  # the other process still holds it
    # The flight goes on for whoever waits longer; it stops once the lease is given back.
    await world.ages(str(grant_id), expires_in="29 minutes")
    assert world.calls("token.refresh") == []


@pytest.mark.parametrize("lease_seconds", [60], indirect=True)
async def test_who_waits_takes_over_when_the_lease_runs_out_before_the_deadline_r18(
    lease_seconds: None, world: World
) -> None:
    binding_id = await binding_held_by_another_process(world, for_="0.5 s")
    billing = await service(world.application)

    async with billing.http:
        answer = await billing.token(binding_id)

    assert answer.status_code == 200
    assert len(world.calls("token.refresh")) == 1


@pytest.fixture
async def billing(world: World) -> Service:
    return await service(world.application)


@pytest.mark.real_pool_wait
async def test_a_pool_without_a_free_connection_says_503_within_a_second_r14(
    world: World, billing: Service
) -> None:
    admin = await world.acme_admin()
    found = await admin.connects(ACME_TRADING)
    token = admin.token()

    async with billing.http, AsyncExitStack() as taken:
        for_transactions, bare = split_pool_size(world.application.settings.database_pool_size)
        for _ in range(for_transactions):
            await taken.enter_async_context(world.services.database.transaction())
        for _ in range(bare):
            await taken.enter_async_context(world.services.database.bare_connection())

        assert POOL_WAIT_SECONDS < 1
        answers = await asyncio.gather(
            billing.token(found["id"]),
            billing.calls(found["id"]),
            admin.http.get(
                "/api/integrations/xero/bindings", headers={"Authorization": f"Bearer {token}"}
            ),
            billing.http.get("/readyz"),
        )

        assert {problem(answer) for answer in answers} == {(503, "service_busy")}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        assert (await billing.http.get("/healthz")).status_code == 200

        await taken.aclose()
        assert (await billing.http.get("/readyz")).status_code == 200
        assert (await billing.token(found["id"])).status_code == 200
