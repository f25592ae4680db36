"""What an operator, upkeep and a late answer make good again."""

import asyncio
from uuid import UUID

import pytest

from tests.world import World
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.errors import InvalidGrant, RateLimitError


async def test_a_dead_grant_that_still_holds_tokens_can_be_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a deploy with another app's credentials: Xero then calls every grant invalid."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")

    async def refused(_: str) -> object:
        raise InvalidGrant

    with monkeypatch.context() as wrong_app:
        wrong_app.setattr(world.services.xero, "refresh_tokens", refused)
        await admin.refreshes()
    assert (await world.grant(binding["grantId"]))["status"] == "refresh_failed"

    grant = await world.services.operators.retry(UUID(binding["grantId"]))
    await world.services.upkeep.round()

    assert grant.generation == 2
    assert (await admin.bindings())[ACME_TRADING]["status"] == "active"


async def test_a_dead_grant_that_nobody_binds_keeps_no_tokens(world: World) -> None:
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)
    await world.database.execute(
        "UPDATE integration_grants SET status = 'refresh_failed',"
        " updated_at = now() - interval '25 hours'"
    )

    await world.services.upkeep.round()

    grant = await world.grant(landing.grant_id)
    assert (grant["status"], grant["refresh_token_enc"]) == ("revoked", None)
    assert await world.cleanups() == [("revoke", "impossible")]


async def test_what_a_cancelled_revocation_would_have_ended_is_still_ended(world: World) -> None:
    """The later consent is for another tenant: the first one's connection goes all the same."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    outage = world.sandbox.fault("revocation", "503", times=None)
    await admin.disconnects(binding["id"])

    await admin.connects(ACME_SERVICES)
    world.sandbox.release(outage)
    await world.hurries()
    await world.services.upkeep.round()

    assert set(await world.cleanups()) == {("revoke", "cancelled"), ("delete_connection", "done")}
    live = [c for c in world.sandbox.state()["connections"] if not c["deleted"]]
    assert [each["tenantId"] for each in live] == [ACME_SERVICES]


async def test_an_owed_deletion_waits_until_a_later_consent_was_read(world: World) -> None:
    admin = await world.acme_admin()
    first = await admin.connects(ACME_TRADING)
    await admin.connects(ACME_SERVICES)
    outage = world.sandbox.fault("connections", "503", times=None)
    await admin.disconnects(first["id"])
    landing = await admin.consents()  # nothing new to connect, and its reach cannot be read
    world.sandbox.release(outage)

    await world.hurries()
    await world.services.upkeep.round()

    assert world.calls("connections.delete")[1:] == []
    assert (await admin.selects(landing.grant_id, ACME_TRADING))["status"] == "active"
    await world.hurries()
    await world.services.upkeep.round()
    assert (await admin.bindings())[ACME_TRADING]["status"] == "active"


@pytest.fixture
def short_lease(environment: dict[str, str]) -> None:
    environment["XERO_TIMEOUT_SECONDS"] = "0.6"
    environment["REFRESH_LEASE_SECONDS"] = "1.5"


async def test_a_late_no_to_the_first_attempt_does_not_settle_the_second_r4(
    short_lease: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one's answer was lost after Xero rotated: upkeep makes it again, in time."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    xero = world.services.xero
    really, says_no, calls = xero.refresh_tokens, asyncio.Event(), 0

    async def first_hangs(token: str) -> object:
        nonlocal calls
        calls += 1
        if calls > 1:
            return await really(token)
        await says_no.wait()
        raise RateLimitError("Later.", retry_after=5)

    monkeypatch.setattr(xero, "refresh_tokens", first_hangs)
    world.sandbox.fault("token.refresh", "drop", when="after")
    await admin.refreshes()  # late
    await world.hurries()
    for _ in range(40):  # its lease runs out, and another attempt is made
        if calls > 1:
            break
        await world.hurries()
        await admin.refreshes()
    says_no.set()
    await asyncio.sleep(0)
    while len(world.services.tokens.refresher.background):  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    await world.hurries()
    await world.services.upkeep.round()

    grant = await world.grant(binding["grantId"])
    assert (grant["generation"], grant["refresh_sent_at"]) == (2, None)
