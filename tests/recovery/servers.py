"""Servers with one database of the service: a streaming standby, base backup and WAL archive."""

import asyncio
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from demo import postgres
from demo.postgres import DISPOSABLE, EmbeddedPostgres
from tests.repository import ROOT
from tests.world import until
from xero_service.store import schema
from xero_service.store.connections import Connector

DATABASE = "xero"
RUNBOOK = ROOT / "docs/runbooks/database-restored.md"
ARCHIVE = "../archive"  # from the data directory, where the server runs commands


@dataclass(frozen=True)
class ReplicatedPair:
    """Two servers; `url` names both, as DATABASE_URL of a service does."""

    primary: EmbeddedPostgres
    standby: EmbeddedPostgres

    @property
    def url(self) -> str:
        hosts = f"{self.primary.directory},{self.standby.directory}"
        session = "target_session_attrs=read-write"
        return f"postgresql://postgres@/{DATABASE}?host={hosts}&{session}"

    async def replicate_synchronously(self) -> None:
        """Let each commit on the primary wait until the standby has it."""
        await set_value(self.primary, "synchronous_standby_names", "*")
        await self._wait_for("sync")

    async def replicate_asynchronously(self) -> None:
        await self._wait_for("async")

    async def _wait_for(self, state: str) -> None:
        async def streams() -> bool:
            query = "SELECT string_agg(sync_state, '') FROM pg_stat_replication"
            found: str | None = await value(self.primary, query)
            return found == state

        await until(streams)

    async def has_received(self) -> None:
        """Wait until the standby has replayed what the primary has committed."""
        newest = await value(self.primary, "SELECT pg_current_wal_lsn()")

        async def has_replayed() -> bool:
            query = "SELECT pg_last_wal_replay_lsn() >= $1"
            return bool(await value(self.standby, query, newest))

        await until(has_replayed)

    async def stop_receiving(self) -> None:
        """Let the standby miss what the primary commits from now on."""
        await set_value(self.standby, "primary_conninfo", "")

        async def has_stopped() -> bool:
            return not await value(self.standby, "SELECT count(*) FROM pg_stat_wal_receiver")

        await until(has_stopped)

    async def fail_over(self) -> None:
        """Kill the primary, as a power failure would, and promote the standby."""
        await asyncio.to_thread(self.primary.crash)
        assert await value(self.standby, "SELECT pg_promote(wait => true)")


@dataclass(frozen=True)
class ArchivedServer:
    """A server that archives its WAL; `backup` has the directory of its base backup."""

    server: EmbeddedPostgres
    backup: EmbeddedPostgres

    async def back_up(self) -> None:
        """Make a base backup, as `pg_basebackup` does."""
        await asyncio.to_thread(self.backup.copy_from, self.server)

    async def now(self) -> datetime:
        """Return the time by the server's clock."""
        moment = await value(self.server, "SELECT clock_timestamp()")
        assert isinstance(moment, datetime)
        return moment

    async def lose(self) -> None:
        """Kill the server once its WAL is archived; its data is gone."""
        newest = await value(self.server, "SELECT pg_walfile_name(pg_switch_wal())")

        async def is_archived() -> bool:
            query = "SELECT last_archived_wal >= $1 FROM pg_stat_archiver"
            return bool(await value(self.server, query, newest))

        await until(is_archived)
        await asyncio.to_thread(self.server.crash)
        await asyncio.to_thread(shutil.rmtree, self.server.data)

    async def restore(self, moment: datetime) -> None:
        """Start the server with the base backup and the WAL up to a moment."""
        data = self.server.data
        self.backup.data.rename(data)
        with (data / "postgresql.auto.conf").open("a") as settings:
            for name, wanted in settings_of_runbook("restore_command").items():
                settings.write(f"{name} = '{wanted.replace('TIME', moment.isoformat())}'\n")
        signal = data / "recovery.signal"
        signal.touch()
        os.chown(signal, data.stat().st_uid, -1)
        await asyncio.to_thread(self.server.start)

        async def accepts_writes() -> bool:
            return not await value(self.server, "SELECT pg_is_in_recovery()")

        await until(accepts_writes)


@contextmanager
def archived() -> Iterator[ArchivedServer]:
    """Run a server that archives its WAL, with a migrated database."""
    archiving = {**DISPOSABLE, **settings_of_runbook("archive_mode")}
    with postgres.embedded(archiving) as server, postgres.unstarted() as backup:
        archive = server.data / ARCHIVE
        archive.mkdir()
        os.chown(archive, server.data.stat().st_uid, -1)
        schema.upgrade(server.create_database(DATABASE))
        yield ArchivedServer(server, backup)


def settings_of_runbook(first: str) -> Mapping[str, str]:
    """Return the settings of the runbook's block that begins with one, for the test's archive."""
    (block,) = re.findall(rf"```ini\n(\s*{first} = .+?)```", RUNBOOK.read_text(), re.DOTALL)
    found = re.findall(r"^\s*(\w+) = '?(.*?)'?$", block, re.MULTILINE)
    return {name: wanted.replace("ARCHIVE", ARCHIVE) for name, wanted in found}


@contextmanager
def replicated() -> Iterator[ReplicatedPair]:
    """Run both servers, with a migrated database."""
    with postgres.embedded(DISPOSABLE) as primary, postgres.unstarted(DISPOSABLE) as standby:
        schema.upgrade(primary.create_database(DATABASE))
        standby.copy_from(primary, "--write-recovery-conf")
        standby.start()
        yield ReplicatedPair(primary, standby)


async def value(server: EmbeddedPostgres, query: str, *arguments: Any) -> Any:
    """Return the first value of a query in the service's database."""
    found = await rows(server, query, *arguments)
    return found[0][0] if found else None


async def rows(server: EmbeddedPostgres, query: str, *arguments: Any) -> list[asyncpg.Record]:
    """Return the rows of a query in the service's database."""
    connection = await Connector.to(url_on(server)).connect()
    try:
        found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
        return found
    finally:
        await connection.close()


async def set_value(server: EmbeddedPostgres, name: str, wanted: str) -> None:
    """Change a parameter of a running server."""
    await value(server, f"ALTER SYSTEM SET {name} = '{wanted}'")
    await value(server, "SELECT pg_reload_conf()")


def url_on(server: EmbeddedPostgres) -> str:
    """Return the URL of the service's database on one server."""
    return f"postgresql://postgres@/{DATABASE}?host={server.directory}"
