"""Runs the migrations.

Only `migrate` uses Alembic, so the functions import it: at the top it would take a seventh of the
CPU time of a serving process's imports (ADR 0013).
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from xero_service.errors import ServiceBusy
from xero_service.store import migrations
from xero_service.store.db_errors import translate_db_errors
from xero_service.store.migrations import Migration
from xero_service.store.replicas import running_older_code

if TYPE_CHECKING:
    from alembic.config import Config

LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"
DEADLOCKS = 5  # in a row, before `upgrade` gives up
Progress = Callable[[str], None]


def _config(url: str, **attributes: object) -> "Config":
    from alembic.config import Config

    config = Config(stdout=sys.stdout)  # the default is bound when alembic is imported
    config.set_main_option("script_location", str(migrations.directory()))
    config.attributes.update(attributes, url=url)
    return config


def upgrade(
    url: str,
    *,
    service_role: str | None = None,
    with_contracts: bool = False,
    progress: Progress = lambda _: None,
) -> None:
    """Apply the pending migrations, then grant the service role its privileges.

    `with_contracts`: see `migrations.pending`. Calls `progress` with a line before each migration.
    Waits for another process that migrates the same database. Raises ConfigError for an unusable
    service role, ServiceBusy for a database that is away or whose tables are in use, and where
    replicas run that a migration would break. A migration that PostgreSQL ends because of a
    deadlock with a caller's transaction is applied again.
    """
    for _ in range(DEADLOCKS - 1):
        try:
            _upgrade(url, service_role, with_contracts, progress)
        except ServiceBusy as busy:
            if _sqlstate(busy) != DEADLOCK:
                raise
            progress("A deadlock with a transaction of the service; again …")
        else:
            return
    _upgrade(url, service_role, with_contracts, progress)


def _upgrade(url: str, service_role: str | None, with_contracts: bool, progress: Progress) -> None:
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = _config(url, service_role=service_role)
    script = ScriptDirectory.from_config(config)

    def plan(heads: tuple[str, ...], context: Any) -> Any:
        current = heads[0] if heads else None
        planned = migrations.pending(current, with_contracts=with_contracts)
        if not planned:
            return []
        require_no_older_replica(context.connection, current, planned)
        steps = script._upgrade_revs(planned[-1].revision, current or "base")
        for step, migration in zip(steps, planned, strict=True):
            step.migration_fn = partial(_reported, progress, migration, step.migration_fn)
        return steps

    with (
        _explain_lock_timeouts(),
        translate_db_errors(),
        EnvironmentContext(config, script, fn=plan),
    ):
        script.run_env()


def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to `revision` (`base`: all)."""
    from alembic import command

    command.downgrade(_config(url), revision)


def check(url: str) -> None:
    """Raise alembic's CommandError where the tables declared differ from those migrated."""
    from alembic import command

    command.check(_config(url))


def require_no_older_replica(
    connection: Connection, current: str | None, planned: tuple[Migration, ...]
) -> None:
    """Raise ServiceBusy where a replica runs that does not work on the schema after `planned`."""
    oldest_code = max((each.oldest_code for each in planned), default="")
    older = running_older_code(connection, oldest_code) if current else ()
    if older:
        names = ", ".join(f"{each.host} (version {each.version}, {each.code})" for each in older)
        raise ServiceBusy(
            f"A contract migration needs code that carries {oldest_code}, and replicas with older"
            f" code run: {names}. Roll out the newer code everywhere, then try again; a replica"
            " that was killed counts for 90 seconds."
        )


def _reported(progress: Progress, migration: Migration, apply: Callable[..., None]) -> None:
    progress(f"Applying {migration.revision}: {migration.summary} …")
    apply()


@contextmanager
def _explain_lock_timeouts() -> Iterator[None]:
    try:
        yield
    except ServiceBusy as busy:
        if _sqlstate(busy) != LOCK_NOT_AVAILABLE:
            raise
        raise ServiceBusy(
            "A table that the next migration changes was in use for too long, so that migration"
            " was not applied; those before it were. Run `xero-service migrate` again, when no"
            " long transaction (a backup, a session left open) holds the table."
        ) from busy


def _sqlstate(busy: ServiceBusy) -> object:
    return getattr(getattr(busy.__cause__, "orig", None), "sqlstate", None)
