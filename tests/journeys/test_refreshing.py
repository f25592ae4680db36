"""POST /refresh renews what is due, once per grant, for whoever of the org asks."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.world import ACME, ACME_ADMIN, World
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.errors import NotFound

NOTHING_TO_DO = {"success": True, "hasActiveBindings": False, "refreshedCount": 0, "errors": []}
UP_TO_DATE = {**NOTHING_TO_DO, "hasActiveBindings": True}
ONE_RENEWED = {**UP_TO_DATE, "refreshedCount": 1}


@pytest.mark.parametrize(
    ("expires_in", "days", "answer"),
    [
        ("29 minutes", 0, UP_TO_DATE),
        ("11 minutes", 44, UP_TO_DATE),
        ("9 minutes", 0, ONE_RENEWED),
        ("-1 hour", 0, ONE_RENEWED),
        ("29 minutes", 46, ONE_RENEWED),
    ],
    ids=["fresh", "44_days_old", "expiring", "expired", "46_days_old"],
)
async def test_only_what_is_due_is_renewed(
    world: World, expires_in: str, days: int, answer: dict[str, object]
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in=expires_in, days=days)

    assert await admin.refreshes() == answer

    assert len(world.calls("token.refresh")) == answer["refreshedCount"]
    health = (await admin.bindings())[ACME_TRADING]["health"]
    assert health["state"] == "healthy"
    assert await admin.refreshes() == UP_TO_DATE


@pytest.mark.parametrize("form", ["float", "text", "padded_text", "null", "absent"])
async def test_a_set_is_saved_in_whichever_form_its_lifetime_comes_c12(
    world: World, form: str
) -> None:
    """C12: of the exchange and of each refresh; nothing that Xero rotated is thrown away."""
    world.sandbox.switch(expiresIn=form)
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    for generation in (2, 3):
        await world.ages(binding["grantId"])

        assert await admin.refreshes() == ONE_RENEWED

        grant = await world.grant(binding["grantId"])
        assert grant["generation"] == generation
        assert grant["expires_at"] - grant["refresh_token_issued_at"] == timedelta(minutes=30)
    client = await world.services.tokens.get_client_for_tenant_binding(UUID(binding["id"]), ACME)
    assert (await client.request("GET", "api.xro/2.0/Organisation")).status == 200


async def test_two_bindings_on_one_grant_count_once(world: World) -> None:
    admin = await world.acme_admin()
    await admin.connects(ACME_TRADING)
    second = await admin.connects(ACME_SERVICES)
    await world.ages(second["grantId"])

    assert await admin.refreshes() == ONE_RENEWED

    assert len(world.calls("token.refresh")) == 1


async def test_a_member_may_refresh(world: World) -> None:
    admin, member = await world.acme_admin(), await world.acme_member()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"])

    assert await member.refreshes() == ONE_RENEWED


async def test_without_an_active_org_there_is_nothing_to_do(world: World) -> None:
    nobody = await world.person(ACME_ADMIN, None)

    assert await nobody.refreshes() == NOTHING_TO_DO


async def test_an_org_without_bindings_has_nothing_to_do(world: World) -> None:
    admin = await world.acme_admin()
    await admin.consents(ACME_TRADING)

    assert await admin.refreshes() == NOTHING_TO_DO


@pytest.mark.parametrize("status", ["revoked", "needs_reauth", "suspended"])
async def test_bindings_that_are_not_active_are_left_alone(world: World, status: str) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 hour")
    await world.database.execute("UPDATE integration_tenant_bindings SET status = $1", status)

    assert await admin.refreshes() == NOTHING_TO_DO

    assert world.calls("token.refresh") == []


async def test_one_grant_that_fails_does_not_stop_another(world: World) -> None:
    admin = await world.acme_admin()
    failing = await admin.connects(ACME_TRADING)
    working = await admin.connects(ACME_SERVICES, xero_user=samples.ACCOUNTANT.xero_user_id)
    for binding in (failing, working):
        await world.ages(binding["grantId"])
    world.sandbox.fault("token.refresh", "503", user="xero-user-1")

    report = await admin.refreshes()

    assert report == {
        "success": False,
        "hasActiveBindings": True,
        "refreshedCount": 1,
        "errors": [{"bindingId": failing["id"], "error": "xero_unavailable"}],
    }


async def test_every_binding_of_a_failing_grant_is_named(world: World) -> None:
    admin = await world.acme_admin()
    bindings = [await admin.connects(ACME_TRADING), await admin.connects(ACME_SERVICES)]
    await world.ages(bindings[1]["grantId"])
    world.sandbox.fault("token.refresh", "500")

    report = await admin.refreshes()

    assert {each["bindingId"] for each in report["errors"]} == {b["id"] for b in bindings}
    assert len(world.calls("token.refresh")) == 1


async def test_a_client_for_a_binding_works_at_xero_and_notes_its_use(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")

    client = await world.services.tokens.get_client_for_tenant_binding(UUID(binding["id"]), ACME)
    answer = await client.request("GET", "api.xro/2.0/Organisation")

    assert answer.status == 200
    assert b"Acme Trading Ltd" in answer.body
    assert len(world.calls("token.refresh")) == 1
    assert (await admin.bindings())[ACME_TRADING]["lastUsedAt"] is not None


async def test_a_client_for_another_orgs_binding_is_not_to_be_had_s16(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)

    with pytest.raises(NotFound):
        await world.services.tokens.get_client_for_tenant_binding(UUID(binding["id"]), "org_globex")
