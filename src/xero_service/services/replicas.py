"""Announces this process in the database, so that no contract migration runs under it.

A contract migration removes what older code uses. `xero-service migrate` refuses it while a replica
with such code is announced (ADR 0019).
"""

import asyncio
import contextlib
import random
import socket
from dataclasses import dataclass, field
from importlib import metadata
from uuid import uuid4

from xero_service.domain.replicas import ANNOUNCED_EVERY, Replica
from xero_service.errors import IntegrationError
from xero_service.services.database_watch import DatabaseWatch
from xero_service.store import migrations
from xero_service.store.database import Database
from xero_service.telemetry import logger

WITHDRAWAL_SECONDS = 1.0

log = logger(__name__)


@dataclass(slots=True)
class ReplicaService:
    """Announces this process from `start` to `withdraw`, and checks its database as often."""

    database: Database
    database_watch: DatabaseWatch
    announcing: asyncio.Task[None] | None = field(default=None, init=False)
    replica: Replica = field(init=False)

    def __post_init__(self) -> None:
        """Describe this process."""
        self.replica = Replica(
            uuid4(), socket.gethostname(), metadata.version("xero-service"), migrations.newest()
        )

    def start(self) -> None:
        """Announce this process in the background, and again and again until `withdraw`."""
        self.announcing = asyncio.create_task(self._repeat())

    async def withdraw(self) -> None:
        """Stop announcing, and record that this process has ended; no error if that fails."""
        if self.announcing is None:
            return
        self.announcing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.announcing
        with contextlib.suppress(IntegrationError, TimeoutError):
            async with asyncio.timeout(WITHDRAWAL_SECONDS), self.database.transaction() as tx:
                await tx.replicas.withdraw(self.replica.id)

    async def _repeat(self) -> None:
        while True:
            try:
                await self._announce()
            except IntegrationError as error:
                log.warning("this replica could not announce itself", reason=error.code)
            except Exception:
                log.exception("this replica could not announce itself")
            await asyncio.sleep(ANNOUNCED_EVERY.total_seconds() * random.uniform(0.8, 1.0))  # noqa: S311

    async def _announce(self) -> None:
        state = await self.database.schema_state()
        if migrations.is_outdated(state):
            log.error("this replica is too old for its database", needed=state.oldest_code)
        elif not migrations.serves(state):
            return  # the table may not exist yet
        async with self.database.background_transaction() as tx:
            await tx.replicas.announce(self.replica)
        await self.database_watch.check()
