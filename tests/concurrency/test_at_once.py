"""Two orgs, one Xero user or one tenant, the same instant."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.world import GLOBEX as GLOBEX_ORG
from tests.world import GLOBEX_ADMIN, Application, World, until
from xero_sandbox import samples
from xero_sandbox.samples import ACME_TRADING, GLOBEX
from xero_service.settings import Settings
from xero_service.store.leases import Leases

SHARED = samples.ACCOUNTANT.xero_user_id


async def test_of_two_orgs_that_select_one_tenant_at_the_same_instant_one_gets_it_r20(
    world: World,
) -> None:
    acme, globex = await world.acme_admin(), await world.globex_admin()
    in_acme = await acme.consents(ACME_TRADING)
    in_globex = await globex.consents(ACME_TRADING, xero_user=SHARED)
    hold = world.hold("connections.list", when="after", times=None)

    async with asyncio.TaskGroup() as tasks:
        choices = [
            tasks.create_task(
                person.post(
                    "/tenants/select", {"grantId": landing.grant_id, "tenantId": ACME_TRADING}
                )
            )
            for person, landing in ((acme, in_acme), (globex, in_globex))
        ]
        await hold.reached(2)
        await hold.release()

    answers = [task.result() for task in choices]
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    rows = await world.database.fetch("SELECT clerk_org_id FROM integration_tenant_bindings")
    winner, loser = (acme, globex) if answers[0].status_code == 201 else (globex, acme)
    assert [row["clerk_org_id"] for row in rows] == [winner.org_id]
    assert await loser.bindings() == {}


@pytest.mark.parametrize("reconsent", ["supersedes", "keeps"])
async def test_two_consents_of_one_xero_user_at_once_leave_one_live_grant_r21_r19b(
    world: World, reconsent: str
) -> None:
    world.sandbox.switch(reconsent=reconsent)
    acme, globex = await world.acme_admin(), await world.globex_admin()
    before = await acme.connects(ACME_TRADING, xero_user=SHARED)
    callbacks = [
        (acme, await acme.allows(xero_user=SHARED)),
        (globex, await globex.allows(GLOBEX, xero_user=SHARED)),
    ]
    hold = world.hold("token.code", when="after", times=None)

    async with asyncio.TaskGroup() as tasks:
        landings = [tasks.create_task(who.lands(callback)) for who, callback in callbacks]
        await hold.reached()
        await hold.release()

    (live,) = await world.grants()
    assert {str(live["id"])} < {before["grantId"], *(task.result().grant_id for task in landings)}
    await globex.selects(landings[1].result().grant_id, GLOBEX)
    bound = {**await acme.bindings(), **await globex.bindings()}
    assert {binding["grantId"] for binding in bound.values()} == {str(live["id"])}
    assert {binding["status"] for binding in bound.values()} == {"active"}
    for person in (acme, globex):
        await world.ages(str(live["id"]), expires_in="-1 minute")
        assert (await person.refreshes())["refreshedCount"] == 1
    issued_last = world.sandbox.token_uses()[2]  # one set for the first consent, then these two
    assert [use["presented"] for use in world.sandbox.token_uses()] == [0, 0, 1, 1, 0]
    assert issued_last["presented"] == 1


async def test_exchanges_on_two_replicas_run_one_at_a_time_r19b(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second code is not sent before the first one's set is saved."""
    tries = 0
    claim = Leases.claim

    async def noting(*arguments: Any, **options: Any) -> datetime | None:
        nonlocal tries
        tries += 1
        return await claim(*arguments, **options)

    async def second_has_waited() -> bool:
        return tries >= 3  # one for the first, and two for who comes second and looks again

    monkeypatch.setattr(Leases, "claim", noting)
    async with Application.running(settings) as another:
        acme = await world.acme_admin()
        globex = await world.person(GLOBEX_ADMIN, GLOBEX_ORG, at=another)
        callback = await acme.allows(ACME_TRADING, xero_user=SHARED)
        other_callback = await globex.allows(GLOBEX, xero_user=SHARED)
        hold = world.hold("token.code", when="after")

        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(acme.lands(callback))
            await hold.reached()
            second = tasks.create_task(globex.lands(other_callback))
            await until(second_has_waited)
            assert len(world.calls("token.code")) == 1
            await hold.release()

    (live,) = await world.grants()
    assert str(live["id"]) == second.result().grant_id
    assert str((await world.grant(first.result().grant_id))["superseded_by"]) == str(live["id"])
