"""`xero-service migrate`: the database schema."""

import typer

from xero_service.errors import ServiceBusy
from xero_service.settings import load_database
from xero_service.store import schema
from xero_service.store.db_errors import reason
from xero_service.telemetry import configure_logging


def migrate() -> None:
    """Bring the database to the newest schema; needs DATABASE_URL alone.

    Connects as the role that owns the database. Where DATABASE_SERVICE_ROLE names the role that
    serves, it is granted what serving needs, each time. Repeating it is harmless; of two at once
    the second waits for the first. A migration that finds a table in use gives up after seconds
    and holds nobody up: run it again.

    Some settings last from one statement to the next, so DATABASE_URL must lead to PostgreSQL
    itself, or to a pooler in session mode; PgBouncer's transaction mode does not do.
    """
    settings = load_database()
    configure_logging(level=settings.log_level, form="text")
    try:
        schema.upgrade(
            settings.database_url.get_secret_value(), service_role=settings.database_service_role
        )
    except ServiceBusy as error:
        if error.__cause__ is None:
            raise
        raise ServiceBusy(f"{error.detail} ({reason(error)})") from error
    typer.echo(f"The database is at revision {schema.expected_revision()}, or a later one.")
