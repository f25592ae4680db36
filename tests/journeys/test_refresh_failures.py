"""A refresh that fails: whose fault it is, what stays usable, and when Xero is asked again."""

from typing import Any
from uuid import UUID

import pytest

from tests.world import ACME, World
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, GLOBEX_BOOKKEEPER
from xero_service.errors import ReauthorizationRequired


async def test_invalid_grant_ends_the_grant_and_asks_for_a_person_r9(world: World) -> None:
    admin = await world.acme_admin()
    first, second = await admin.connects(ACME_TRADING), await admin.connects(ACME_SERVICES)
    await world.ages(second["grantId"])
    world.sandbox.advance(61 * 24 * 3600)  # the refresh token died of age

    report = await admin.refreshes()

    assert report["success"] is False
    assert {each["bindingId"] for each in report["errors"]} == {first["id"], second["id"]}
    assert {each["error"] for each in report["errors"]} == {"reauthorization_required"}
    assert (await world.grant(second["grantId"]))["status"] == "refresh_failed"
    bindings = (await admin.bindings()).values()
    assert {binding["status"] for binding in bindings} == {"needs_reauth"}
    assert {binding["health"]["state"] for binding in bindings} == {"needs_reauth"}
    assert len(await world.audited("grant.refresh_failed")) == 1


async def test_a_dead_grant_causes_no_further_calls_r9(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute", days=50)
    world.sandbox.advance(61 * 24 * 3600)
    await admin.refreshes()

    again = await admin.refreshes()
    await world.hurries()
    await world.services.upkeep.round()
    with pytest.raises(ReauthorizationRequired):
        await world.services.tokens.get_client_for_tenant_binding(UUID(binding["id"]), ACME)

    assert again["hasActiveBindings"] is False
    assert len(world.calls("token.refresh")) == 1


@pytest.mark.parametrize(
    ("fault", "when", "code"),
    [
        ("500", "before", "xero_unavailable"),
        ("502", "after", "xero_unavailable"),
        ("503", "before", "xero_unavailable"),
        ("429", "before", "xero_rate_limited"),
        ("html403", "before", "xero_unavailable"),
        ("drop", "before", "xero_unavailable"),
        ("drop", "after", "xero_unavailable"),
        ("malformed_json", "before", "xero_unavailable"),
        ("malformed_json", "after", "xero_unavailable"),
        ("missing_refresh_token", "after", "xero_unavailable"),
        ("wrong_user", "after", "xero_unavailable"),
        ("invalid_client", "before", "xero_misconfigured"),
    ],
)
async def test_xeros_trouble_is_never_the_users_r10(
    world: World, fault: str, when: Any, code: str
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    before = await world.grant(binding["grantId"])
    world.sandbox.fault("token.refresh", fault, when=when)

    first, second = await admin.refreshes(), await admin.refreshes()

    error = {"bindingId": binding["id"], "error": code}
    assert first["errors"] == second["errors"] == [error]
    assert len(world.calls("token.refresh")) == 1  # the second found the grant backing off
    after = await world.grant(binding["grantId"])
    for kept in ("status", "generation", "access_token_enc", "refresh_token_enc"):
        assert after[kept] == before[kept]
    shown = (await admin.bindings())[ACME_TRADING]
    assert shown["status"] == "active"
    assert (shown["health"]["state"], shown["health"]["lastError"]) == ("retrying", code)


@pytest.mark.parametrize(
    ("fault", "when"),
    [
        ("drop", "after"),
        ("502", "after"),
        ("malformed_json", "after"),
        ("missing_refresh_token", "after"),
        ("wrong_user", "after"),
    ],
)
async def test_upkeep_wins_back_a_set_whose_answer_was_lost_or_spoilt_r3(
    world: World, fault: str, when: Any
) -> None:
    """Xero has rotated; its grace ends in thirty minutes, and nobody may read until then."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"])
    world.sandbox.fault("token.refresh", fault, when=when)
    await admin.refreshes()
    await world.hurries()

    await world.services.upkeep.round()

    world.sandbox.advance(31 * 60)
    await world.ages(binding["grantId"])
    assert (await admin.refreshes())["refreshedCount"] == 1
    assert (await admin.bindings())[ACME_TRADING]["health"]["state"] == "healthy"


async def test_an_unsettled_attempt_is_retried_within_a_minute_whatever_xero_says_since(
    world: World,
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"])
    world.sandbox.fault("token.refresh", "drop", when="after")
    await admin.refreshes()
    await world.hurries()
    world.sandbox.fault("token.refresh", "429", retry_after=3600)

    await admin.refreshes()

    wait = await world.database.fetchval(
        "SELECT next_refresh_at - now() FROM integration_grants WHERE status = 'active'"
    )
    assert 0 < wait.total_seconds() <= 60


async def test_retry_after_is_obeyed_where_nothing_is_at_stake_r10(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"])
    world.sandbox.fault("token.refresh", "429", retry_after=900)

    await admin.refreshes()

    wait = await world.database.fetchval(
        "SELECT next_refresh_at - now() FROM integration_grants WHERE status = 'active'"
    )
    assert 800 < wait.total_seconds() <= 900


async def test_a_refused_client_alarms_the_operator_and_kills_no_grant_r11(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"])
    world.sandbox.fault("token.refresh", "invalid_client")

    await admin.refreshes()

    alarm = 'xero_service_operator_alarms_total{kind="invalid_client"} 1.0'
    assert alarm in (await admin.http.get("/metrics")).text
    assert (await world.grant(binding["grantId"]))["status"] == "active"
    await world.hurries()
    assert (await admin.refreshes())["refreshedCount"] == 1


@pytest.mark.parametrize("fault", ["503", "drop", "429", "invalid_client"])
async def test_a_token_that_still_works_is_served_while_refreshing_fails_r10(
    world: World, fault: str
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="8 minutes")
    world.sandbox.fault("token.refresh", fault, times=None)

    client = await world.services.tokens.get_client_for_tenant_binding(UUID(binding["id"]), ACME)

    assert (await client.request("GET", "api.xro/2.0/Organisation")).status == 200


async def test_tokens_of_another_xero_user_are_never_stored(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    world.sandbox.fault("token.refresh", "mixed_users", when="after")
    await admin.refreshes()
    await world.hurries()

    assert (await admin.refreshes())["refreshedCount"] == 1

    client = await world.services.tokens.get_client_for_tenant_binding(UUID(binding["id"]), ACME)
    await client.request("GET", "api.xro/2.0/Organisation")
    assert world.calls("api")[-1]["xeroUserId"] != GLOBEX_BOOKKEEPER.xero_user_id
