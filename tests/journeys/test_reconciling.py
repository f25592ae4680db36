"""What happens inside Xero while nobody tells us: found daily, and on a 403 (R25)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.people import Person
from tests.service_api.callers import problem, service
from tests.world import World, until
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, DEMO_COMPANY

USER = samples.ACME_BOOKKEEPER.xero_user_id
SHARED = samples.ACCOUNTANT.xero_user_id
Change = Callable[[SandboxClient], None]


@dataclass(frozen=True)
class Loss:
    """How a tenant is lost, what brings it back, and whether Xero's page then names it again."""

    happens: Change
    ends: Change
    chosen_again: bool = False


LOSSES = {
    "disconnected": Loss(
        lambda xero: xero.disconnect(USER, ACME_TRADING), lambda _: None, chosen_again=True
    ),
    "removed from it": Loss(
        lambda xero: xero.set_role(USER, ACME_TRADING, None),
        lambda xero: xero.set_role(USER, ACME_TRADING, "standard"),
    ),
    "only reads": Loss(
        lambda xero: xero.set_role(USER, ACME_TRADING, "read_only"),
        lambda xero: xero.set_role(USER, ACME_TRADING, "adviser"),
    ),
    "deleted": Loss(
        lambda xero: xero.set_org_status(ACME_TRADING, "deleted"),
        lambda xero: xero.set_org_status(ACME_TRADING, "active"),
    ),
}


@dataclass(frozen=True)
class Bound:
    """The binding that is lost, and two that must not be: of the same grant, and of another."""

    admin: Person
    lost: dict[str, Any]
    beside: dict[str, Any]
    elsewhere: dict[str, Any]


@pytest.fixture
async def bound(world: World) -> Bound:
    admin = await world.acme_admin()
    return Bound(
        admin,
        await admin.connects(ACME_TRADING),
        await admin.connects(ACME_SERVICES),
        await admin.connects(DEMO_COMPANY, xero_user=SHARED),
    )


async def a_day_passes(world: World) -> None:
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET last_checked_at = now() - interval '25 hours';"
        "UPDATE integration_grants SET check_claimed_at = check_claimed_at - interval '25 hours'"
    )
    await world.services.upkeep.round()


async def a_call_is_refused(world: World, bound: Bound) -> None:
    billing = await service(world.application)
    async with billing.http:
        refused = await billing.calls(bound.lost["id"])
        assert refused.status_code == 403

        async def noticed() -> bool:
            answer = await billing.token(bound.lost["id"])
            return answer.status_code == 409 and problem(answer)[1] == "reauthorization_required"

        await until(noticed)


async def one_alone_needs_a_person(bound: Bound) -> None:
    statuses = {each["id"]: each["status"] for each in (await bound.admin.bindings()).values()}
    assert statuses == {
        bound.lost["id"]: "needs_reauth",
        bound.beside["id"]: "active",
        bound.elsewhere["id"]: "active",
    }


async def connecting_again_restores_it(world: World, bound: Bound, loss: Loss) -> None:
    loss.ends(world.sandbox)
    landing = await bound.admin.consents(*([ACME_TRADING] if loss.chosen_again else []))
    again = await bound.admin.selects(landing.grant_id, ACME_TRADING)

    assert (again["id"], again["status"]) == (bound.lost["id"], "active")
    billing = await service(world.application, name="again")
    async with billing.http:
        for each in (bound.lost, bound.beside, bound.elsewhere):
            assert (await billing.calls(each["id"])).status_code == 200


@pytest.mark.parametrize("how", LOSSES)
async def test_a_tenant_that_is_lost_in_xero_is_found_within_a_day_r25(
    world: World, bound: Bound, how: str
) -> None:
    LOSSES[how].happens(world.sandbox)

    await a_day_passes(world)

    await one_alone_needs_a_person(bound)
    (event,) = await world.audited("binding.access_lost")
    assert str(event["binding_id"]) == bound.lost["id"]
    assert (await world.grant(bound.beside["grantId"]))["status"] == "active"
    await connecting_again_restores_it(world, bound, LOSSES[how])


@pytest.mark.parametrize("how", ["disconnected", "removed from it"])
async def test_a_tenant_that_is_lost_in_xero_is_found_by_a_refused_call_r25(
    world: World, bound: Bound, how: str
) -> None:
    LOSSES[how].happens(world.sandbox)

    await a_call_is_refused(world, bound)

    await one_alone_needs_a_person(bound)
    await connecting_again_restores_it(world, bound, LOSSES[how])


async def test_a_lost_tenant_is_found_though_xero_refuses_the_token_first_c4(
    world: World, bound: Bound
) -> None:
    """C4, R25: the tenants are asked for with the token that was renewed, not the refused one."""
    LOSSES["removed from it"].happens(world.sandbox)
    world.sandbox.advance(31 * 60)  # by Xero's clock the token has expired, by ours it has not

    await a_day_passes(world)

    await one_alone_needs_a_person(bound)


async def test_a_list_that_lacks_an_entry_proves_no_loss_and_hides_none_c11(
    world: World, bound: Bound
) -> None:
    """C11: the tenant whose entry cannot be read is asked for by itself."""
    world.sandbox.switch(oddConnections="first_without_tenant")

    await a_day_passes(world)
    assert {each["status"] for each in (await bound.admin.bindings()).values()} == {"active"}

    LOSSES["disconnected"].happens(world.sandbox)
    await a_day_passes(world)
    await one_alone_needs_a_person(bound)


async def test_access_that_comes_back_by_itself_is_found_within_a_day_r25(
    world: World, bound: Bound
) -> None:
    LOSSES["removed from it"].happens(world.sandbox)
    await a_day_passes(world)
    LOSSES["removed from it"].ends(world.sandbox)

    await a_day_passes(world)

    restored = (await bound.admin.bindings())[ACME_TRADING]
    assert (restored["id"], restored["status"]) == (bound.lost["id"], "active")


async def test_an_organisation_that_is_off_line_is_not_given_up_r25(
    world: World, bound: Bound
) -> None:
    world.sandbox.set_org_status(ACME_TRADING, "offline")

    await a_day_passes(world)

    assert (await bound.admin.bindings())[ACME_TRADING]["status"] == "active"


async def test_a_renamed_organisation_is_shown_by_its_new_name_within_a_day_r25(
    world: World, bound: Bound
) -> None:
    world.sandbox.rename_org(ACME_TRADING, "Acme Trading 2027 Ltd")

    await a_day_passes(world)

    shown = (await bound.admin.bindings())[ACME_TRADING]
    assert (shown["id"], shown["status"]) == (bound.lost["id"], "active")
    assert shown["tenantName"] == "Acme Trading 2027 Ltd"


async def test_a_user_who_ends_our_app_in_xero_altogether_is_found_within_a_day_r25(
    world: World, bound: Bound
) -> None:
    """Their tokens die with it; the other Xero user's binding is not touched."""
    world.sandbox.switch(disconnectInXero="kills_grant")
    for tenant in (ACME_TRADING, ACME_SERVICES):
        world.sandbox.disconnect(USER, tenant)
    await world.ages(bound.beside["grantId"], expires_in="-1 minute")

    await a_day_passes(world)

    statuses = {each["id"]: each["status"] for each in (await bound.admin.bindings()).values()}
    assert statuses == {
        bound.lost["id"]: "needs_reauth",
        bound.beside["id"]: "needs_reauth",
        bound.elsewhere["id"]: "active",
    }


async def test_nobody_is_asked_about_again_before_a_day_has_passed_r25(
    world: World, bound: Bound
) -> None:
    await a_day_passes(world)
    asked = len(world.calls("connections"))

    await world.services.upkeep.round()

    assert len(world.calls("connections")) == asked


async def test_an_outage_of_xero_costs_nobody_a_binding_r25(world: World, bound: Bound) -> None:
    for kind, fault in (("connections", "503"), ("api", "html403")):
        outage = world.sandbox.fault(kind, fault, times=None)

        await a_day_passes(world)

        assert {each["status"] for each in (await bound.admin.bindings()).values()} == {"active"}
        world.sandbox.release(outage)


async def test_a_check_that_fails_is_not_shown_as_made_and_is_repeated_within_the_hour_r39(
    world: World, bound: Bound
) -> None:
    """`lastCheckedAt` says when Xero last confirmed the connection, not when it was asked."""
    world.sandbox.fault("connections", "503", times=None)
    await a_day_passes(world)
    failed = (await bound.admin.bindings())[bound.beside["tenantId"]]["lastCheckedAt"]
    world.sandbox.clear_faults()
    await world.services.upkeep.round()
    too_soon = (await bound.admin.bindings())[bound.beside["tenantId"]]["lastCheckedAt"]

    await world.database.execute(
        "UPDATE integration_grants SET check_claimed_at = check_claimed_at - interval '1 hour'"
    )
    await world.services.upkeep.round()

    checked = (await bound.admin.bindings())[bound.beside["tenantId"]]["lastCheckedAt"]
    assert failed == too_soon < checked
