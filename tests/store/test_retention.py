"""E4: old audit events are deleted in steps, however many there are."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from typer.testing import CliRunner

from tests.world import World
from xero_service.cli import app as commands
from xero_service.services import activity
from xero_service.settings import Settings
from xero_service.store import pools

FILL = (
    "INSERT INTO audit_events (occurred_at, actor_kind, actor_id, action, outcome)"
    " SELECT now() - $1::text::interval, 'system', 'x', 'filled', 'ok' FROM generate_series(1, $2)"
)
# Each row takes its time, as two million rows do.
SLOWLY = """
CREATE FUNCTION takes_time() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN OLD; END $$;
CREATE TRIGGER takes_time BEFORE DELETE ON audit_events
FOR EACH ROW EXECUTE FUNCTION takes_time();
"""


async def filled(world: World) -> int:
    return int(
        await world.database.fetchval("SELECT count(*) FROM audit_events WHERE action = 'filled'")
    )


async def run(*arguments: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(CliRunner().invoke, commands, arguments)
    return done.exit_code, done.stdout, done.stderr


async def test_pruning_takes_longer_than_a_statement_may(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E4: a single DELETE would exceed STATEMENT_SECONDS and delete nothing."""
    monkeypatch.setattr(pools, "STATEMENT_SECONDS", 3)
    monkeypatch.setattr(activity, "PRUNE_BATCH", 10)
    await world.database.execute(FILL, "401 days", 400)
    await world.database.execute(FILL, "399 days", 3)
    await world.database.execute(SLOWLY)

    code, printed, said = await run("audit", "prune", "--before", "400d")

    assert (code, printed) == (0, "Deleted 400 events.\n"), said
    assert await filled(world) == 3


async def test_what_was_pruned_before_an_interruption_stays_pruned(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E4: each step is a transaction."""
    monkeypatch.setattr(activity, "PRUNE_BATCH", 10)
    await world.database.execute(FILL, "401 days", 35)

    steps = prune(world)
    first = await anext(steps)
    await steps.aclose()

    assert (first, await filled(world)) == (10, 25)
    assert [each async for each in prune(world)] == [10, 10, 5]


def prune(world: World) -> AsyncGenerator[int, None]:
    return world.services.activity.prune(world.application.settings.audit_retention)


async def test_two_that_prune_at_once_delete_each_event_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E4: in every replica upkeep prunes."""
    monkeypatch.setattr(activity, "PRUNE_BATCH", 7)
    await world.database.execute(FILL, "401 days", 100)

    async def deleted() -> int:
        return sum([each async for each in prune(world)])

    assert sum(await asyncio.gather(deleted(), deleted(), deleted())) == 100


async def test_upkeep_prunes_by_the_retention_that_is_configured(world: World) -> None:
    """E4: without an operator's action."""
    await world.database.execute(FILL, "401 days", 5)
    await world.database.execute(FILL, "399 days", 3)

    await world.services.upkeep.round()

    assert await filled(world) == 3


async def test_without_a_date_a_prune_goes_by_the_configuration(
    world: World, settings: Settings
) -> None:
    await world.database.execute(FILL, "401 days", 5)
    await world.database.execute(FILL, "399 days", 3)

    code, printed, _ = await run("audit", "prune")

    assert (code, printed) == (0, "Deleted 5 events.\n")


@pytest.mark.parametrize("before", ["364d", "8759h", "2100-01-01", "tomorrow", "", "99999999d"])
async def test_a_date_that_is_too_young_or_none_is_refused_by_name(
    settings: Settings, before: str
) -> None:
    """C18."""
    code, printed, said = await run("audit", "prune", "--before", before)

    assert (code, printed) == (2, "")
    assert "--before" in said
