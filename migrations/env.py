"""Run migrations over asyncpg, one transaction each."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from xero_service.settings import load_database
from xero_service.store import schema
from xero_service.store.connections import Connector
from xero_service.store.pools import migration_engine
from xero_service.store.tables import Base


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_server_default=True,
    )
    if schema.is_past(context.get_context().get_current_revision()):
        return  # newer code migrated already; what it did is not this code's to judge
    with context.begin_transaction():
        context.run_migrations()


async def _run_online() -> None:
    url = context.config.attributes.get("url") or load_database().database_url.get_secret_value()
    engine = migration_engine(Connector.to(url))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


asyncio.run(_run_online())
