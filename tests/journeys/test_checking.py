"""A refresh that checks: what was lost inside Xero is found when a person asks, not a day later."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.clock import time_passes
from tests.people import Person
from tests.service_api.callers import service
from tests.world import Application, World
from xero_sandbox import samples
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, DEMO_COMPANY
from xero_service.settings import Settings

USER = samples.ACME_BOOKKEEPER.xero_user_id
SHARED = samples.ACCOUNTANT.xero_user_id
QUIET = {"success": True, "hasActiveBindings": True, "refreshedCount": 0, "errors": []}


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.acme_admin()


@pytest.fixture
async def binding(admin: Person) -> dict[str, Any]:
    return await admin.connects(ACME_TRADING)


def lists(world: World) -> int:
    """How often Xero was asked what a grant reaches."""
    return len(world.calls("connections.list"))


async def test_a_check_reports_what_was_lost_in_xero(
    world: World, admin: Person, binding: dict[str, Any]
) -> None:
    """R38: a refresh alone succeeds, because Xero's refresh token still works."""
    beside = await admin.connects(DEMO_COMPANY, xero_user=SHARED)
    world.sandbox.disconnect(USER, ACME_TRADING)

    assert await admin.refreshes() == QUIET
    assert await admin.refreshes(check=True) == QUIET | {
        "success": False,
        "errors": [{"bindingId": binding["id"], "error": "tenant_lost"}],
    }

    found = {each["id"]: each["status"] for each in (await admin.bindings()).values()}
    assert found == {binding["id"]: "needs_reauth", beside["id"]: "active"}
    (event,) = await world.audited("binding.access_lost")
    assert str(event["binding_id"]) == binding["id"]


async def test_a_check_finds_what_xero_lists_and_refuses(
    world: World, admin: Person, binding: dict[str, Any]
) -> None:
    """R38: that Xero lists a tenant does not prove access to it."""
    world.sandbox.set_role(USER, ACME_TRADING, None)

    report = await admin.refreshes(check=True)
    assert report["errors"] == [{"bindingId": binding["id"], "error": "tenant_lost"}]
    assert report["hasActiveBindings"] is False

    world.sandbox.set_role(USER, ACME_TRADING, "standard")
    await time_passes(world.database, 61)
    assert await admin.refreshes(check=True) == QUIET
    assert (await admin.bindings())[ACME_TRADING]["status"] == "active"


async def test_each_grant_is_checked_once_a_minute_over_all_replicas(
    world: World, admin: Person, binding: dict[str, Any], settings: Settings
) -> None:
    """R38: all callers together cost Xero one check a minute for each grant."""
    async with Application.running(settings) as replica:
        there = await world.person(admin.id, admin.org_id, at=replica)
        before = lists(world)

        reports = await asyncio.gather(
            *(person.refreshes(check=True) for person in (admin, there) * 4)
        )

        assert reports == [QUIET] * 8
        assert lists(world) == before + 1

        await time_passes(world.database, 61)
        await there.refreshes(check=True)
        await admin.refreshes(check=True)
        assert lists(world) == before + 2
    assert binding["status"] == "active"


async def test_a_refresh_without_check_asks_xero_nothing(
    world: World, admin: Person, binding: dict[str, Any]
) -> None:
    """R38: the refresher in the page runs on every change of org."""
    before = lists(world)
    for nothing in (None, {}, {"check": False}):
        answer = await admin.post("/refresh", nothing)
        assert answer.json() == QUIET
    wrong: list[Any] = [{"check": "yes"}, {"check": 1}, {"check": None}, {"checks": True}, []]
    for body in wrong:
        assert (await admin.post("/refresh", body)).status_code == 422
    assert lists(world) == before
    assert binding["status"] == "active"


async def test_a_check_that_xero_does_not_answer_says_so_and_changes_nothing(
    world: World, admin: Person, binding: dict[str, Any]
) -> None:
    """R38: "all up to date" would be a claim that nobody checked."""
    checked = (await admin.bindings())[ACME_TRADING]["lastCheckedAt"]
    world.sandbox.fault("connections", "503", times=None)

    report = await admin.refreshes(check=True)

    assert report["errors"] == [{"bindingId": binding["id"], "error": "xero_unavailable"}]
    found = (await admin.bindings())[ACME_TRADING]
    assert (found["status"], found["lastCheckedAt"]) == ("active", checked)


async def test_a_refresh_that_failed_is_reported_once(
    world: World, admin: Person, binding: dict[str, Any]
) -> None:
    """R38: one binding, one error, although neither the refresh nor the check works."""
    await world.ages(binding["grantId"], expires_in="-1 minute")
    world.sandbox.fault("token", "503", times=None)

    report = await admin.refreshes(check=True)

    assert [each["bindingId"] for each in report["errors"]] == [binding["id"]]


async def test_services_check_too_and_each_binding_says_when(
    world: World, admin: Person, binding: dict[str, Any]
) -> None:
    """R38: `lastCheckedAt` is when Xero answered."""
    await admin.selects((await admin.consents(ACME_SERVICES)).grant_id, ACME_SERVICES)
    await time_passes(world.database, 3600)
    for each in (await admin.bindings()).values():
        age = datetime.now(UTC) - datetime.fromisoformat(each["lastCheckedAt"])
        assert age > timedelta(minutes=59)

    billing = await service(world.application)
    async with billing.http:
        answer = await billing.request("POST", "/refresh", json={"check": True})
    assert answer.json()["success"] is True

    for each in (await admin.bindings()).values():
        age = datetime.now(UTC) - datetime.fromisoformat(each["lastCheckedAt"])
        assert age < timedelta(minutes=59)
    assert binding["status"] == "active"


async def test_without_an_org_there_is_nothing_to_check(world: World) -> None:
    """R38: as for a refresh."""
    nobody = await world.person("user_acme_admin", None)
    assert await nobody.refreshes(check=True) == QUIET | {"hasActiveBindings": False}
