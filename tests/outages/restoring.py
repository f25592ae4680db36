"""A database that goes back to an earlier state, as after a restore from a backup."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg

from demo.postgres import Postgres
from tests.world import World, until


@dataclass(frozen=True)
class Backup:
    """A copy of a test's database, that can take its place."""

    server: Postgres
    world: World
    name: str
    copy: str

    async def restore(self) -> None:
        """Put the copy in the database's place; every connection to the database breaks."""
        lost = f"{self.name}_lost"
        await self._alone(f'ALTER DATABASE "{self.name}" RENAME TO "{lost}"')
        await self._alone(f'ALTER DATABASE "{self.copy}" RENAME TO "{self.name}"', of=self.copy)
        await asyncio.to_thread(self.server.execute, f'DROP DATABASE "{lost}" WITH (FORCE)')
        self.world.database = await asyncpg.connect(url_of(self.world))
        self.world.stack.push_async_callback(self.world.database.close)

    async def take(self) -> None:
        """Copy the database as it is now."""
        await self._alone(f'CREATE DATABASE "{self.copy}" TEMPLATE "{self.name}"')
        self.world.database = await asyncpg.connect(url_of(self.world))
        self.world.stack.push_async_callback(self.world.database.close)

    async def _alone(self, statement: str, *, of: str | None = None) -> None:
        """Run a statement that needs a database without connections."""

        async def done() -> bool:
            end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{of or self.name}'"  # noqa: E501, S608
            await asyncio.to_thread(self.server.execute, end)
            with suppress(asyncpg.ObjectInUseError):
                await asyncio.to_thread(self.server.execute, statement)
                return True
            return False

        await until(done)


def url_of(world: World) -> str:
    return world.application.settings.database_url.get_secret_value()


@asynccontextmanager
async def backup_of(world: World, server: Postgres) -> AsyncIterator[Backup]:
    """Copy the database now; the block may restore the copy."""
    name = urlsplit(url_of(world)).path[1:]
    backup = Backup(server, world, name, f"{name}_backup")
    await backup.take()
    try:
        yield backup
    finally:
        drop = f'DROP DATABASE IF EXISTS "{backup.copy}" WITH (FORCE)'
        await asyncio.to_thread(server.execute, drop)
