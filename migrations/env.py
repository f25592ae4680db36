"""Run migrations over asyncpg, one transaction each, one process at a time."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from xero_service.settings import load_database
from xero_service.store import migration_lock, migrations, service_role
from xero_service.store.connections import Connector
from xero_service.store.pools import migration_engine
from xero_service.store.tables import Base

HAS_OLDEST_CODE = text(
    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'alembic_version'::regclass"
    " AND attname = 'oldest_code' AND NOT attisdropped"
)


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
        on_version_apply=_record_oldest_code,
    )
    if migrations.is_past(context.get_context().get_current_revision()):
        return  # newer code migrated already; what it did is not this code's to judge
    with context.begin_transaction():
        context.run_migrations()
    if role:
        connection.commit()  # what only read
        with connection.begin():
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            service_role.grant(connection, role)


def _record_oldest_code(ctx: Any, step: Any, heads: Any, run_args: Any) -> None:  # noqa: ARG001
    """Record, in the transaction of a migration, which code works on the schema after it."""
    applied = [each for head in heads for each in migrations.applied(head)]
    if applied and ctx.connection.scalar(HAS_OLDEST_CODE):
        oldest_code = max(each.oldest_code for each in applied)
        ctx.connection.execute(
            text("UPDATE alembic_version SET oldest_code = :oldest_code"),
            {"oldest_code": oldest_code},
        )


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
