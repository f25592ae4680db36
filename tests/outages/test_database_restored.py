"""R30, R33: the service notices that its database went back, and saves what can be saved."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from demo.postgres import Postgres
from tests.metrics.scrape import parsed, value
from tests.outages.many_grants import crowd
from tests.outages.restoring import backup_of
from tests.service_api.callers import service
from tests.world import ACME, Application, World, until
from xero_sandbox.samples import ACME_TRADING
from xero_service.domain import SYSTEM, AuditAction, AuditEvent, DatabaseIdentity, DatabaseMark
from xero_service.domain.database_marks import AuditPosition, Course, Observation
from xero_service.services import database_watch
from xero_service.services.database_watch import DatabaseWatch
from xero_service.settings import Settings

NOT_DUE = timedelta(minutes=25)
GRACE_IS_OVER = 31 * 60
OLD_TIMELINE = "UPDATE database_mark SET timeline = timeline - 1"


@pytest.fixture
async def another(settings: Settings) -> AsyncIterator[Application]:
    """A second replica on the same database."""
    async with Application.running(settings) as running:
        yield running


def watch_of(application: Application) -> DatabaseWatch:
    return application.services.replicas.database_watch


async def alarms(*applications: Application) -> float:
    total = 0.0
    for application in applications:
        async with application.http() as http:
            found = parsed((await http.get("/metrics")).text)
        total += value(found, "xero_service_operator_alarms_total", kind="database_restored")
    return total


async def rotates_all(world: World) -> None:
    """Refresh every grant, as hours of use would."""
    await world.database.execute(
        "UPDATE integration_grants SET refresh_token_issued_at = now() - interval '46 days'"
    )
    await world.services.upkeep.round()


async def statuses(world: World) -> set[tuple[str, str, bool]]:
    rows = await world.database.fetch(
        "SELECT g.status, b.status AS bound, g.verdict_held_at IS NOT NULL AS held"
        " FROM integration_grants g JOIN integration_tenant_bindings b"
        " ON b.active_grant_id = g.id"
    )
    return {(row["status"], row["bound"], row["held"]) for row in rows}


async def generations(world: World) -> set[int]:
    rows = await world.database.fetch("SELECT generation FROM integration_grants")
    return {row["generation"] for row in rows}


async def hold_reason(world: World) -> str | None:
    found: str | None = await world.database.fetchval(
        "SELECT reason FROM verdict_hold WHERE held_since IS NOT NULL"
    )
    return found


async def test_within_the_grace_a_round_of_upkeep_saves_every_grant_r30(
    world: World, postgres_server: Postgres
) -> None:
    """Also those that are neither old nor in use: each restored refresh token is spent at once."""
    await crowd(world, 8, expires_in=NOT_DUE)
    async with backup_of(world, postgres_server) as backup:
        await rotates_all(world)
        await backup.restore()
        assert await generations(world) == {1}

        await world.services.upkeep.round()

        assert await generations(world) == {2}
        assert await statuses(world) == {("active", "active", False)}
        assert await hold_reason(world) == "database_restored"
        assert await alarms(world.application) == 1
        (event,) = await world.audited("database.restored")
        assert (event["outcome"], event["org_id"]) == ("noticed", None)


async def test_after_the_grace_no_customer_is_asked_to_connect_again_r33(
    world: World, postgres_server: Postgres
) -> None:
    await crowd(world, 8, expires_in=NOT_DUE)
    async with backup_of(world, postgres_server) as backup:
        await rotates_all(world)
        world.sandbox.advance(GRACE_IS_OVER)
        await backup.restore()

        await world.services.upkeep.round()

        assert await statuses(world) == {("active", "active", True)}
        told = await world.database.fetchval(
            "SELECT count(*) FROM events WHERE kind IN ('binding.needs_reauth', 'binding.expiring')"
        )
        assert told == 0


async def test_a_reader_that_comes_before_upkeep_ends_no_grant_r33(
    world: World, postgres_server: Postgres
) -> None:
    """No verdict is passed before the database was checked."""
    (member,) = await crowd(world, 1, expires_in=NOT_DUE)
    billing = await service(world.application)
    async with backup_of(world, postgres_server) as backup:
        await rotates_all(world)
        world.sandbox.advance(GRACE_IS_OVER)
        await backup.restore()
        await world.ages(str(member.grant_id), expires_in="-1 minute")

        answer = await billing.token(str(member.binding_id))

        assert (answer.status_code, answer.json()["code"]) == (503, "xero_unavailable")
        assert await statuses(world) == {("active", "active", True)}
        assert await hold_reason(world) == "database_restored"


async def test_a_token_of_a_generation_that_came_twice_is_audited_again_r30(
    world: World, postgres_server: Postgres
) -> None:
    """Rule 9, S49: what this process remembers to be on record is lost with the log."""
    (member,) = await crowd(world, 1, expires_in=NOT_DUE)
    billing = await service(world.application)
    async with backup_of(world, postgres_server) as backup:
        await rotates_all(world)
        lost = (await billing.token(str(member.binding_id))).json()["accessToken"]
        await backup.restore()
        await world.services.upkeep.round()

        issued = (await billing.token(str(member.binding_id))).json()["accessToken"]

        assert issued != lost
        (event,) = await world.audited("token.issued")
        assert '"generation": 2' in event["detail"]


async def test_a_grant_whose_binding_may_be_lost_is_not_disconnected_until_released_r30(
    world: World, postgres_server: Postgres
) -> None:
    """It looks unused for a day; a binding that was made after the backup may rest on it."""
    admin = await world.acme_admin()
    landing = await admin.consents(ACME_TRADING)
    await world.database.execute(
        "UPDATE integration_grants SET updated_at = now() - interval '25 hours'"
    )
    async with backup_of(world, postgres_server) as backup:
        await admin.selects(landing.grant_id, ACME_TRADING)
        await backup.restore()

        await world.services.upkeep.round()
        while_held = (await world.grant(landing.grant_id))["status"]
        await world.services.restore.release_verdicts(SYSTEM)
        await world.database.execute(
            "UPDATE integration_grants SET updated_at = now() - interval '25 hours'"
        )
        await world.services.upkeep.round()

        assert while_held == "active"
        assert (await world.grant(landing.grant_id))["status"] == "revoked"


async def test_several_replicas_that_notice_it_raise_one_alarm_r30(
    world: World, another: Application, postgres_server: Postgres
) -> None:
    for each in (world.application, another):
        await watch_of(each).check()
    async with backup_of(world, postgres_server) as backup:
        await rotates_all_by(world, another)
        await backup.restore()

        await asyncio.gather(*(watch_of(each).check() for each in (world.application, another)))
        await asyncio.gather(*(watch_of(each).check() for each in (world.application, another)))

        assert await alarms(world.application, another) == 1
        assert len(await world.audited("database.restored")) == 1


async def rotates_all_by(world: World, another: Application) -> None:
    """Let both replicas commit an event that the backup lacks."""
    for each in (world.application, another):
        await records(each)
        await watch_of(each).check()


async def records(application: Application, **detail: int) -> None:
    async with application.services.database.transaction() as tx:
        await tx.audit.add(
            AuditEvent(SYSTEM, AuditAction.GRANT_UNUSED, org_id=ACME, detail={**detail})
        )


async def test_a_second_restore_is_noticed_too_r33(world: World, postgres_server: Postgres) -> None:
    for _ in range(2):
        async with backup_of(world, postgres_server) as backup:
            await records(world.application)
            await backup.restore()
            await watch_of(world.application).check()

    assert await alarms(world.application) == 2


async def test_a_lost_event_whose_id_was_used_again_is_still_missed_r33(
    world: World, postgres_server: Postgres
) -> None:
    """Other replicas write to the restored log before this one has looked."""
    await records(world.application)
    async with backup_of(world, postgres_server) as backup:
        await records(world.application)
        lost = watch_of(world.application).known[-1]
        await backup.restore()
        for _ in range(40):
            await world.database.execute(
                "INSERT INTO audit_events (actor_kind, actor_id, action, outcome)"
                " VALUES ('system', 'x', 'grant.unused', 'ok')"
            )
        reused = await world.database.fetchval(
            "SELECT count(*) FROM audit_events WHERE id = $1", lost.id
        )
        assert reused == 1

        await watch_of(world.application).check()

        assert await alarms(world.application) == 1


async def test_a_loss_is_noticed_also_after_events_with_higher_ids_r31(
    world: World, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promoted standby skips ids, and this process goes on writing before it looks."""
    monkeypatch.setattr(database_watch, "REMEMBER_EVERY_SECONDS", 0.0)
    await watch_of(world.application).check()
    async with backup_of(world, postgres_server) as backup:
        await records(world.application)
        await backup.restore()
        skipped = await world.database.fetchval("SELECT nextval('audit_events_id_seq')")
        await world.database.execute("SELECT setval('audit_events_id_seq', $1)", skipped + 32)
        for _ in range(3):
            await records(world.application)

        await watch_of(world.application).check()

        assert await alarms(world.application) == 1
        assert await hold_reason(world) == "database_restored"
        await watch_of(world.application).check()
        assert await alarms(world.application) == 1, "the second check finds nothing new"


async def test_what_is_remembered_between_two_checks_is_bounded(world: World) -> None:
    watch = watch_of(world.application)
    for number in range(2 * database_watch.REMEMBERED_AT_MOST):
        watch.remembered_at = 0.0
        watch.remember(AuditPosition(number, datetime.now(UTC)))
    assert len(watch.known) == database_watch.REMEMBERED_AT_MOST
    for number in range(100):
        watch.remember(AuditPosition(number, datetime.now(UTC)))
    assert len(watch.known) == database_watch.REMEMBERED_AT_MOST


async def test_processes_that_start_after_a_restore_notice_it_by_the_timeline_r30(
    world: World, settings: Settings
) -> None:
    """As after a recovery to a point in time, of which no process that runs now knows."""
    await watch_of(world.application).check()
    await world.database.execute(OLD_TIMELINE)
    watch_of(world.application).known.clear()
    async with Application.running(settings) as started:

        async def is_held() -> bool:
            return await hold_reason(world) == "database_restored"

        await until(is_held)
        await watch_of(world.application).check()
        assert await alarms(started, world.application) == 1


async def test_a_failover_that_lost_nothing_holds_nothing_and_renews_all_r30(
    world: World, another: Application
) -> None:
    """A rotation of the last moment may be lost with the process that made it."""
    await crowd(world, 3, expires_in=NOT_DUE)
    for each in (world.application, another):
        await records(each)
        await watch_of(each).check()
    await world.database.execute(OLD_TIMELINE)

    await world.services.upkeep.round()
    await another.services.upkeep.round()

    assert await generations(world) == {2}
    assert await hold_reason(world) is None
    assert await alarms(world.application, another) == 0


async def test_a_restart_gaps_and_writers_that_overlap_are_no_restore_r33(
    world: World, another: Application, settings: Settings
) -> None:
    """Ids are taken by transactions that roll back, and skipped when a server was promoted."""
    for _ in range(3):
        skipped = await world.database.fetchval("SELECT nextval('audit_events_id_seq')")
        await world.database.execute("SELECT setval('audit_events_id_seq', $1)", skipped + 32)
        await asyncio.gather(
            *(records(each, n=n) for n in range(5) for each in (world.application, another)),
            *(watch_of(each).check() for each in (world.application, another)),
        )
        async with Application.running(settings) as restarted:
            await watch_of(restarted).check()

    assert await alarms(world.application, another) == 0
    assert await hold_reason(world) is None


async def test_an_event_that_the_retention_deleted_is_not_lost_r33(world: World) -> None:
    await world.database.execute(
        "INSERT INTO audit_events (occurred_at, actor_kind, actor_id, action, outcome)"
        " VALUES (now() - interval '401 days', 'system', 'x', 'grant.unused', 'ok')"
    )
    await watch_of(world.application).check()
    assert watch_of(world.application).known

    await world.services.upkeep.round()
    await watch_of(world.application).check()

    assert await world.audited("grant.unused") == []
    assert await hold_reason(world) is None


NOW = datetime(2026, 11, 1, tzinfo=UTC)
HERE, MOVED = DatabaseIdentity("7", 1), DatabaseIdentity("7", 2)


@pytest.mark.parametrize(
    ("identity", "mark", "remembered", "course"),
    [
        (HERE, DatabaseMark(), None, Course.NEW),
        (HERE, DatabaseMark(), True, Course.NEW),
        (HERE, DatabaseMark(HERE), None, Course.SAME),
        (HERE, DatabaseMark(HERE), True, Course.SAME),
        (MOVED, DatabaseMark(HERE), True, Course.MOVED),
        (MOVED, DatabaseMark(HERE), None, Course.WENT_BACK),
        (DatabaseIdentity("8", 1), DatabaseMark(HERE), None, Course.WENT_BACK),
        (HERE, DatabaseMark(HERE), False, Course.WENT_BACK),
        (MOVED, DatabaseMark(HERE), False, Course.WENT_BACK),
        (HERE, DatabaseMark(HERE, NOW), False, Course.WENT_BACK),
        (HERE, DatabaseMark(HERE, NOW + timedelta(seconds=1)), False, Course.NOTICED),
        (None, DatabaseMark(HERE), None, Course.SAME),
        (None, DatabaseMark(), False, Course.WENT_BACK),
    ],
)
def test_what_happened_follows_from_timeline_and_memory_r33(
    identity: DatabaseIdentity | None,
    mark: DatabaseMark,
    remembered: bool | None,
    course: Course,
) -> None:
    assert Observation(identity, mark, remembered, known_restored_at=NOW).course is course
