"""Run migrations over asyncpg, one transaction each, one process at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from xero_service.settings import load_database
from xero_service.store import migration_lock, schema, service_role
from xero_service.store.connections import Connector
from xero_service.store.pools import migration_engine
from xero_service.store.tables import Base


def _run(connection: Connection) -> None:
    role = context.config.attributes.get("service_role")
    if role:
        with connection.begin():
            service_role.require(connection, role)
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
    if role:
        connection.commit()  # what only read
        with connection.begin():
            service_role.grant(connection, role)


async def _run_online() -> None:
    url = context.config.attributes.get("url") or load_database().database_url.get_secret_value()
    engine = migration_engine(Connector.to(url))
    try:
        async with engine.connect() as guard, engine.connect() as connection:
            await migration_lock.acquire(guard)
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


asyncio.run(_run_online())
