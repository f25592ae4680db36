"""R30: a restore and a failover, as PostgreSQL's own timelines tell them apart."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.recovery.servers import ArchivedServer, ReplicatedPair, url_on
from xero_service.domain import SYSTEM, AuditAction, AuditEvent, DatabaseIdentity
from xero_service.errors import ServiceBusy
from xero_service.services.database_watch import DatabaseWatch
from xero_service.store.database import Database
from xero_service.telemetry import Metrics


@asynccontextmanager
async def process(url: str) -> AsyncIterator[DatabaseWatch]:
    """What a process remembers of its database, from its start."""
    database = Database(url, pool_size=3, prepared_statements=True)
    watch = DatabaseWatch(database, Metrics())
    database.on_audit(watch.remember)
    yield watch
    await database.close()


async def records(watch: DatabaseWatch) -> None:
    async with watch.database.transaction() as tx:
        await tx.audit.add(AuditEvent(SYSTEM, AuditAction.GRANT_UNUSED))


async def checks(watch: DatabaseWatch) -> None:
    await again(DatabaseWatch.check, watch)


async def again(use: Callable[[DatabaseWatch], Awaitable[None]], watch: DatabaseWatch) -> None:
    """Use the database; after an outage the first statements may find broken connections."""
    for _ in range(10):
        try:
            await use(watch)
        except ServiceBusy:
            continue
        return
    await use(watch)


async def identity(watch: DatabaseWatch) -> DatabaseIdentity:
    async with watch.database.transaction() as tx:
        found = await tx.database_marks.identity()
    assert found is not None
    return found


async def reason(watch: DatabaseWatch) -> str | None:
    async with watch.database.transaction() as tx:
        return (await tx.verdict_hold.lock()).reason


async def test_a_process_that_starts_after_a_point_in_time_recovery_notices_it_r30(
    archived: ArchivedServer,
) -> None:
    url = url_on(archived.server)
    async with process(url) as before:
        await records(before)
        await checks(before)
        was = await identity(before)
        await archived.back_up()
        moment = await archived.now()
        await records(before)
    await archived.lose()
    await archived.restore(moment)

    async with process(url) as started:
        await checks(started)

        now = await identity(started)
        assert (now.system_identifier, now.timeline) == (was.system_identifier, was.timeline + 1)
        assert await reason(started) == "database_restored"
        await started_again_notices_nothing(url)


async def started_again_notices_nothing(url: str) -> None:
    async with process(url) as another:
        async with another.database.transaction() as tx:
            await tx.verdict_hold.lock()
            await tx.verdict_hold.release()
        await checks(another)
        assert await reason(another) is None


async def test_a_process_that_saw_both_sides_of_a_failover_knows_that_nothing_is_lost_r30(
    pair: ReplicatedPair,
) -> None:
    """At once after the promotion: a checkpoint of the new primary may come minutes later."""
    await pair.replicate_synchronously()
    async with process(pair.url) as watch:
        await records(watch)
        await checks(watch)
        was = await identity(watch)
        await pair.fail_over()

        await checks(watch)

        assert (await identity(watch)).timeline == was.timeline + 1
        assert await reason(watch) is None


async def test_a_failover_to_a_standby_that_lacked_a_row_is_noticed_r30(
    pair: ReplicatedPair,
) -> None:
    await pair.replicate_asynchronously()
    async with process(pair.url) as watch:
        await records(watch)
        await checks(watch)
        await pair.stop_receiving()
        await records(watch)
        await pair.fail_over()
        # What the process commits before it checks has higher ids than the lost event: a
        # promoted standby skips up to 32 of a sequence.
        await again(records, watch)
        await records(watch)

        await checks(watch)

        assert await reason(watch) == "database_restored"
