"""R33: where many grants are refused within minutes, no customer is asked to connect again."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.clock import time_passes
from tests.metrics.scrape import Samples, parsed, series, value
from tests.outages.many_grants import Member, crowd
from tests.service_api.callers import service
from tests.world import Application, World
from xero_service.cli import app as commands
from xero_service.crypto import KeyRing
from xero_service.domain import HoldReason
from xero_service.domain.verdicts import ALWAYS_BELIEVED, LONGEST_RETRY, NOT_AGAIN_FOR, WINDOW
from xero_service.settings import Settings

NOT_DUE = timedelta(minutes=20)
ALARMS = "xero_service_operator_alarms_total"


@pytest.fixture
async def another(settings: Settings) -> AsyncIterator[Application]:
    """A second replica on the same database."""
    async with Application.running(settings) as running:
        yield running


async def with_stale_tokens(world: World, members: Sequence[Member]) -> dict[Any, str]:
    """Give grants refresh tokens that Xero does not know; return the right ones, sealed."""
    keys = KeyRing(world.application.settings.encryption_keys()[0])
    right = {}
    for member in members:
        right[member.grant_id] = (await world.grant(member.grant_id))["refresh_token_enc"]
        await world.database.execute(
            "UPDATE integration_grants SET refresh_token_enc = $2 WHERE id = $1",
            member.grant_id,
            keys.encrypt_token("of a backup", f"{member.grant_id}:refresh_token_enc"),
        )
    return right


async def refused(world: World, count: int, *, of: int | None = None) -> dict[Any, str]:
    """Connect `of` users, give `count` of them stale tokens that are due, and do a round."""
    if of is not None and of > count:
        await crowd(world, of - count, expires_in=NOT_DUE)
    right = await with_stale_tokens(world, await crowd(world, count, days=46))
    await world.services.upkeep.round()
    return right


async def grants(world: World) -> Counter[str]:
    rows = await world.database.fetch(
        "SELECT CASE WHEN verdict_held_at IS NULL THEN status ELSE 'held ' || status END AS state"
        " FROM integration_grants"
    )
    return Counter(row["state"] for row in rows)


async def bindings(world: World) -> Counter[str]:
    rows = await world.database.fetch("SELECT status FROM integration_tenant_bindings")
    return Counter(row["status"] for row in rows)


async def events(world: World) -> Counter[str]:
    rows = await world.database.fetch("SELECT kind FROM events")
    return Counter(row["kind"] for row in rows)


async def scraped(application: Application) -> Samples:
    async with application.http() as http:
        return parsed((await http.get("/metrics")).text)


async def one_that_is_held(world: World) -> tuple[str, str]:
    """Return the ids of a binding and its grant whose verdict is held."""
    row = await world.database.fetchrow(
        "SELECT b.id, g.id AS grant_id FROM integration_grants g"
        " JOIN integration_tenant_bindings b ON b.active_grant_id = g.id"
        " WHERE g.verdict_held_at IS NOT NULL LIMIT 1"
    )
    assert row is not None
    return str(row["id"]), str(row["grant_id"])


async def test_where_many_grants_are_refused_the_rest_is_held_and_one_alarm_raised_r33(
    world: World,
) -> None:
    await refused(world, 12)

    assert await grants(world) == {"refresh_failed": ALWAYS_BELIEVED, "held active": 9}
    assert await bindings(world) == {"needs_reauth": ALWAYS_BELIEVED, "active": 9}
    assert (await events(world))["binding.needs_reauth"] == ALWAYS_BELIEVED
    (began,) = await world.audited("verdicts.held")
    assert (began["outcome"], began["org_id"]) == ("many_refused", None)
    found = await scraped(world.application)
    assert value(found, ALARMS, kind="verdicts_held") == 1
    assert value(found, "xero_service_grants_held") == 9
    assert value(found, "xero_service_verdict_hold", reason="many_refused") == 1
    assert value(found, "xero_service_verdict_hold", reason="database_restored") == 0
    assert value(found, "xero_service_refreshes_total", outcome="verdict_held") == 9


async def test_an_alarm_of_a_hold_was_at_zero_before_r33(application: Application) -> None:
    found = series(await scraped(application), ALARMS)

    kinds = {dict(labels)["kind"]: number for labels, number in found.items()}
    assert (kinds["verdicts_held"], kinds["database_restored"]) == (0, 0)


@pytest.mark.parametrize(
    ("count", "fleet", "ended"),
    [(1, 1, 1), (3, 3, 3), (4, 4, 3), (4, 60, 3), (5, 100, 5), (6, 100, 5)],
)
async def test_up_to_three_grants_or_a_twentieth_are_believed_within_ten_minutes_r33(
    world: World, count: int, fleet: int, ended: int
) -> None:
    """The smallest installations too: with three grants no share of them is surely a fault."""
    await refused(world, count, of=fleet)

    assert (await grants(world))["refresh_failed"] == ended
    assert (await grants(world))["held active"] == count - ended


async def test_grants_that_ended_earlier_do_not_count_r33(world: World) -> None:
    await refused(world, ALWAYS_BELIEVED)
    await world.database.execute(
        "UPDATE verdict_hold SET ended_at ="
        " ARRAY(SELECT ended - $1::interval FROM unnest(ended_at) AS ended)",
        WINDOW,
    )

    await refused(world, ALWAYS_BELIEVED)

    assert await grants(world) == {"refresh_failed": 2 * ALWAYS_BELIEVED}


async def test_a_caller_of_a_held_grant_gets_the_token_that_works_or_503_r33(
    world: World,
) -> None:
    await refused(world, 5)
    billing = await service(world.application)
    binding_id, grant_id = await one_that_is_held(world)
    calls = len(world.calls("token.refresh"))

    await world.ages(grant_id, expires_in="4 minutes")
    works = await billing.token(binding_id)
    await world.ages(grant_id, expires_in="-1 minute")
    waits = await billing.token(binding_id)

    assert works.status_code == 200
    assert (waits.status_code, waits.json()["code"]) == (503, "xero_unavailable")
    assert 0 < int(waits.headers["Retry-After"]) <= LONGEST_RETRY.total_seconds()
    assert len(world.calls("token.refresh")) == calls


async def test_the_page_shows_a_held_grant_as_retrying_r33(world: World) -> None:
    await refused(world, 5)
    binding_id, _ = await one_that_is_held(world)

    admin = await world.acme_admin()
    shown = {each["id"]: each for each in (await admin.bindings()).values()}[binding_id]

    assert shown["status"] == "active"
    assert (shown["health"]["state"], shown["health"]["lastError"]) == (
        *("retrying",),
        "verdict_held",
    )


async def test_a_held_grant_is_tried_again_ever_less_often_r33(world: World) -> None:
    """Within an hour: after 1, 2, 4, 8 minutes and then every quarter of an hour, or sooner."""
    await refused(world, 4)
    before = len(world.calls("token.refresh"))

    for _ in range(60):
        await time_passes(world.database, 60)
        await world.services.upkeep.round()

    tries = len(world.calls("token.refresh")) - before
    assert 6 <= tries <= 12
    assert await bindings(world) == {"needs_reauth": 3, "active": 1}
    assert (await events(world))["binding.expiring"] == 0
    assert (await events(world))["binding.recovered"] == 0


async def test_a_held_grant_that_xero_accepts_again_recovers_without_a_person_r33(
    world: World,
) -> None:
    right = await refused(world, 6)
    await accepted(world, right)

    await world.hurries()
    await world.services.upkeep.round()

    assert await grants(world) == {"refresh_failed": ALWAYS_BELIEVED, "active": 3}
    assert (await scraped(world.application))["xero_service_grants_held", frozenset()] == 0


async def accepted(world: World, right: dict[Any, str]) -> None:
    """Let Xero accept the refresh tokens of these grants."""
    for grant_id, sealed in right.items():
        await world.database.execute(
            "UPDATE integration_grants SET refresh_token_enc = $2 WHERE id = $1", grant_id, sealed
        )


async def test_once_released_each_held_grant_is_tried_once_more_and_believed_r33(
    world: World,
) -> None:
    """What is dead ends, what lives lives, and no new hold begins within the hour."""
    right = await refused(world, 13)
    held = [
        row["id"]
        for row in await world.database.fetch(
            "SELECT id FROM integration_grants WHERE verdict_held_at IS NOT NULL"
        )
    ]
    await accepted(world, {grant_id: right[grant_id] for grant_id in held[:4]})

    released = json.loads(await said("grants", "release-verdicts", "--json"))
    await world.services.upkeep.round()

    assert (released["released"], released["reason"], released["grants"]) == (
        *(True, "many_refused"),
        10,
    )
    assert await grants(world) == {"active": 4, "refresh_failed": 9}
    assert await bindings(world) == {"active": 4, "needs_reauth": 9}
    (event,) = await world.audited("verdicts.released")
    assert event["actor_id"].startswith("operator:")
    assert len(await world.audited("verdicts.held")) == 1
    found = await scraped(world.application)
    assert value(found, "xero_service_verdict_hold", reason="many_refused") == 0


async def test_an_hour_after_a_release_the_share_counts_again_r33(world: World) -> None:
    await refused(world, 5)
    await said("grants", "release-verdicts")
    await world.services.upkeep.round()
    await time_passes(world.database, NOT_AGAIN_FOR.total_seconds())

    await refused(world, 5)

    assert (await grants(world))["held active"] == 2


async def test_releasing_where_nothing_is_held_changes_nothing_r33(world: World) -> None:
    assert "No verdicts were held." in await said("grants", "release-verdicts")

    assert await world.audited("verdicts.released") == []
    await refused(world, 4)
    assert (await grants(world))["held active"] == 1, "nothing was released before"


async def said(*arguments: str) -> str:
    done = await asyncio.to_thread(CliRunner().invoke, commands, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


async def crossing(world: World, another: Application) -> None:
    """Two replicas refresh at once, and both would be the first to find too many."""
    for table in ("verdict_hold", "integration_tenant_bindings", "integration_grants"):
        await world.database.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    held_before = len(await world.audited("verdicts.held"))
    await with_stale_tokens(world, await crowd(world, 8, days=46))

    await asyncio.gather(world.services.upkeep.round(), another.services.upkeep.round())

    assert await grants(world) == {"refresh_failed": ALWAYS_BELIEVED, "held active": 5}
    assert len(await world.audited("verdicts.held")) == held_before + 1


async def test_two_replicas_that_cross_the_share_at_once_begin_one_hold_r33(
    world: World, another: Application
) -> None:
    for _ in range(3):
        await crossing(world, another)

    alarms = [
        value(await scraped(each), ALARMS, kind="verdicts_held")
        for each in (world.application, another)
    ]
    assert sum(alarms) == 3


@pytest.mark.soak
async def test_two_replicas_that_cross_the_share_at_once_fifty_times_r33(
    world: World, another: Application
) -> None:
    for _ in range(50):
        await crossing(world, another)


async def test_while_verdicts_are_held_not_even_one_grant_ends_r33(
    world: World, another: Application
) -> None:
    """Whatever the reason of the hold, and on every replica."""
    async with world.services.database.transaction() as tx:
        await tx.verdict_hold.lock()
        await tx.verdict_hold.begin(HoldReason.DATABASE_RESTORED)
    await with_stale_tokens(world, await crowd(world, 1, days=46))

    await another.services.upkeep.round()

    assert await grants(world) == {"held active": 1}
    (event,) = await world.audited("grant.refresh_failed")
    assert event["outcome"] == "verdict_held"


async def test_a_held_grant_can_be_disconnected_and_connected_again_r33(world: World) -> None:
    await refused(world, 5)
    binding_id, grant_id = await one_that_is_held(world)
    admin = await world.acme_admin()

    await admin.disconnects(binding_id)

    assert (await world.grant(grant_id))["status"] == "revoked"


async def test_nobody_is_warned_of_a_held_grant_that_failed_before_r33(world: World) -> None:
    """Xero was away for an hour before it refused: that outage is no reason to warn, either."""
    await refused(world, 4)
    await world.database.execute(
        "UPDATE integration_grants SET refresh_failing_since = now() - interval '2 hours'"
        " WHERE verdict_held_at IS NOT NULL"
    )

    await world.services.upkeep.round()

    assert (await events(world))["binding.expiring"] == 0


async def test_the_doctor_says_that_verdicts_are_held_r33(world: World) -> None:
    before = await asyncio.to_thread(CliRunner().invoke, commands, ["doctor"])
    await refused(world, 4)

    done = await asyncio.to_thread(CliRunner().invoke, commands, ["doctor"])

    assert "✓ verdicts: none is held" in before.output
    assert "✗ verdicts: held since" in done.output
    assert "(many_refused)" in done.output
    assert done.exit_code == 1
