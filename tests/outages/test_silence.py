"""Xero takes the request and then its time: callers hear so, and no answer is ever lost (R10)."""

import asyncio
from uuid import UUID

import pytest

from tests.outages.conftest import LEASE_SECONDS
from tests.service_api.callers import problem, service
from tests.world import World, until
from xero_sandbox.samples import ACME_TRADING

pytestmark = pytest.mark.usefixtures("hasty")


async def binding_with_tokens_for(world: World, expires_in: str) -> dict[str, str]:
    admin = await world.acme_admin()
    found = await admin.connects(ACME_TRADING)
    await world.ages(found["grantId"], expires_in=expires_in)
    return found


async def test_a_refresh_that_was_sent_and_not_answered_touches_nothing_and_is_saved_late_r10(
    world: World,
) -> None:
    """The read timeout of other calls does not hold for an answer that may carry the only set."""
    binding = await binding_with_tokens_for(world, "-1 minute")
    before = await world.grant(binding["grantId"])
    billing = await service(world.application)
    hold = world.hold("token.refresh", when="after")

    async with billing.http:
        answer = await billing.token(binding["id"])

    assert problem(answer) == (503, "xero_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    waiting = await world.grant(binding["grantId"])
    for kept in ("status", "generation", "access_token_enc", "refresh_token_enc"):
        assert waiting[kept] == before[kept]
    assert (waiting["last_error"], waiting["refresh_failures"]) == ("xero_unavailable", 1)
    (silence,) = await world.audited("grant.refresh_failed")  # C6: a hung refresh is a failure, too
    assert silence["outcome"] == "xero_unavailable"

    await hold.release()

    async def saved() -> bool:
        grant = await world.grant(binding["grantId"])
        return (grant["generation"], grant["refresh_failures"]) == (2, 0)

    await until(saved)
    assert len(world.calls("token.refresh")) == 1
    assert world.presented() == [1, 0]


async def test_a_token_that_still_works_is_served_while_xero_is_silent_r10(world: World) -> None:
    binding = await binding_with_tokens_for(world, "8 minutes")
    hold = world.hold("token.refresh")

    client = await world.services.tokens.get_client_for_tenant_binding(
        UUID(binding["id"]), "org_acme"
    )

    assert (await client.request("GET", "api.xro/2.0/Organisation")).status == 200
    await hold.release()


@pytest.mark.parametrize(
    ("lease_seconds", "seconds", "renewed"),
    [(60, 0.6, 1), (LEASE_SECONDS, LEASE_SECONDS + 0.2, 0)],
    ids=["in time", "too late"],
    indirect=["lease_seconds"],
)
async def test_an_answer_that_drips_is_read_to_its_end_r10(
    lease_seconds: None, world: World, seconds: float, renewed: int
) -> None:
    """Longer than the read timeout of other calls; a caller waits until the lease ends."""
    binding = await binding_with_tokens_for(world, "-1 minute")
    admin = await world.acme_admin()
    world.sandbox.fault("token.refresh", "drip", seconds=seconds, when="after")

    report = await admin.refreshes()

    assert report["refreshedCount"] == renewed

    async def saved() -> bool:
        return bool((await world.grant(binding["grantId"]))["generation"] == 2)

    await until(saved)
    assert world.presented() == [1, 0]


@pytest.mark.parametrize("fault", ["500", "502", "503", "html403", "malformed_json"])
async def test_what_an_edge_says_in_xeros_place_has_a_caller_come_back_r10(
    world: World, fault: str
) -> None:
    binding = await binding_with_tokens_for(world, "-1 minute")
    billing = await service(world.application)
    world.sandbox.fault("token.refresh", fault, times=None)

    async with billing.http:
        answers = [await billing.token(binding["id"]) for _ in range(3)]

    assert {problem(answer) for answer in answers} == {(503, "xero_unavailable")}
    assert all(1 <= int(answer.headers["retry-after"]) <= 2 for answer in answers)
    assert len(world.calls("token.refresh")) == 1


async def test_xeros_rate_limit_has_a_caller_come_back_when_xero_said_r10(world: World) -> None:
    binding = await binding_with_tokens_for(world, "-1 minute")
    billing = await service(world.application)
    world.sandbox.fault("token.refresh", "429", retry_after=40, times=None)

    async with billing.http:
        first, second = [await billing.token(binding["id"]) for _ in range(2)]

    assert problem(first)[1] == problem(second)[1] == "xero_rate_limited"
    assert [int(answer.headers["retry-after"]) for answer in (first, second)] == [40, 40]
    assert len(world.calls("token.refresh")) == 1


async def test_a_rate_limit_without_a_time_backs_off_all_the_same_r10(world: World) -> None:
    """Xero's empty 429 (facts §7)."""
    await binding_with_tokens_for(world, "-1 minute")
    admin = await world.acme_admin()
    world.sandbox.fault("token.refresh", "429", times=None)

    await asyncio.gather(*(admin.refreshes() for _ in range(3)))

    pause = await world.database.fetchval("SELECT next_refresh_at - now() FROM integration_grants")
    assert 1 <= pause.total_seconds() <= 60
    assert len(world.calls("token.refresh")) == 1
