"""`xero-service migrate`: the database schema."""

from typing import Annotated

import typer

from xero_service.errors import ServiceBusy
from xero_service.settings import load_database
from xero_service.store import migration_preview, migrations, schema
from xero_service.store.db_errors import reason
from xero_service.store.migration_preview import Preview
from xero_service.telemetry import configure_logging


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Print what would be done, and do nothing.")
    ] = False,
    contract: Annotated[
        bool, typer.Option("--contract", help="Also apply the contract migrations at the end.")
    ] = False,
) -> None:
    """Bring the database to the newest schema; needs DATABASE_URL alone.

    Connects as the role that owns the database. Where DATABASE_SERVICE_ROLE names the role that
    serves, it is granted what serving needs, each time. Repeating it is harmless; of two at once
    the second waits for the first. A migration that finds a table in use gives up after seconds
    and holds nobody up: run it again.

    Run it before new code is rolled out: older code works on the newer schema. A *contract*
    migration removes what older code uses: it is left for `--contract`, after the new code runs
    everywhere, and refused while a replica with older code runs. Where a later migration follows
    it, no `--contract` is needed.

    `--check` prints the migrations that would be applied, which tables each locks, and how big
    they are. It exits with 1 where they would be refused.

    Some settings last from one statement to the next, so DATABASE_URL must lead to PostgreSQL
    itself, or to a pooler in session mode; PgBouncer's transaction mode does not do.
    """
    settings = load_database()
    configure_logging(level=settings.log_level, form="text")
    url = settings.database_url.get_secret_value()
    try:
        if check:
            _print(migration_preview.preview(url, with_contracts=contract))
            return
        schema.upgrade(
            url,
            service_role=settings.database_service_role,
            with_contracts=contract,
            progress=typer.echo,
        )
    except ServiceBusy as error:
        if error.__cause__ is None:
            raise
        raise ServiceBusy(f"{error.detail} ({reason(error)})") from error
    typer.echo(f"The database is at revision {migrations.required()}, or a later one.")


def _print(preview: Preview) -> None:
    typer.echo(f"The database is at revision {preview.revision or 'none: it is empty'}.")
    if not preview.planned:
        typer.echo("Nothing to apply.")
    for migration, locks in preview.planned:
        kind = ", a contract migration" if migration.is_contract else ""
        typer.echo(f"{migration.revision}{kind}: {migration.summary}")
        if locks is None:
            typer.echo("    decides by what it reads, so its locks are not known beforehand")
        for lock in locks or ():
            size = f"about {lock.rows:,} rows, {lock.bytes / 1e6:,.1f} MB"
            warning = "  ! big: callers may wait" if lock.holds_up_callers else ""
            typer.echo(f"    {lock.table} ({size}): {lock.mode}, {lock.how_long}{warning}")
    for migration in preview.left_out:
        typer.echo(f"{migration.revision}: {migration.summary}\n    left for `migrate --contract`")
