"""Notices that the database went back: a restored backup, or a standby that lacked rows.

Each process remembers audit events that it knows to be committed. A database that lacks one of
them went back. The row `database_mark` keeps the identity of the database, so that processes that
started after a restore, and remember nothing, notice it, too (ADR 0023).
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from xero_service.domain import SYSTEM, AuditAction, AuditEvent, HoldReason
from xero_service.domain.database_marks import AuditPosition, Course, Observation
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction
from xero_service.telemetry import Metrics, logger

REMEMBER_EVERY_SECONDS = 0.1
REMEMBERED_AT_MOST = 1000  # checks are 20 s apart; more come only while none succeeds

log = logger(__name__)


@dataclass(slots=True)
class DatabaseWatch:
    """What this process remembers of the database, and the check against it."""

    database: Database
    metrics: Metrics
    restored_at: datetime | None = None
    known: deque[AuditPosition] = field(default_factory=deque, init=False)
    remembered_at: float = field(default=-inf, init=False)
    checked_from: float = field(default=-1.0, init=False)
    checking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def remember(self, committed: AuditPosition) -> None:
        """Remember an event that this process has committed, one for each tenth of a second.

        The last one before a failover is lost first, and the next check may come after events
        that the promoted standby gave higher ids.
        """
        now = time.monotonic()
        if now - self.remembered_at < REMEMBER_EVERY_SECONDS:
            self.known.pop()
        else:
            self.remembered_at = now
        if len(self.known) == REMEMBERED_AT_MOST:
            self.known.popleft()
        self.known.append(committed)

    async def check(self) -> None:
        """Hold verdicts, alarm and make every grant due where the database went back.

        Callers that arrive during a check share the next one. Raises ServiceBusy.
        """
        arrived = time.monotonic()
        async with self.checking:
            if self.checked_from < arrived:
                began = time.monotonic()
                await self._check()
                self.checked_from = began

    async def _check(self) -> None:
        known = tuple(self.known)
        async with self.database.background_transaction() as tx:
            newest = await tx.audit.newest()
            found = await self._observe(tx, known)
            if found.course is not Course.SAME:
                await tx.database_marks.lock()
                found = await self._observe(tx, known)
            restored_at = await self._record(tx, found)
        self.restored_at = restored_at
        self._forget(known, newest)
        self._report(found)

    def _forget(self, checked: Sequence[AuditPosition], newest: AuditPosition | None) -> None:
        """Keep the newest event that the database has, and those committed since the check."""
        done = set(checked)
        since = [each for each in self.known if each not in done]
        self.known = deque([newest, *since] if newest else since)
        self.remembered_at = -inf  # the next event replaces none of these

    async def _observe(self, tx: Transaction, known: Sequence[AuditPosition]) -> Observation:
        return Observation(
            identity=await tx.database_marks.identity(),
            mark=await tx.database_marks.read(),
            remembered=await tx.audit.contains(known),
            known_restored_at=self.restored_at,
        )

    async def _record(self, tx: Transaction, found: Observation) -> datetime | None:
        """Record what was found; return when the database last went back."""
        if found.course in {Course.NEW, Course.MOVED, Course.WENT_BACK}:
            await tx.database_marks.save_identity(found.identity)
        if found.course is Course.MOVED:
            # A rotation of the last moment may be lost all the same, with all that remember it.
            await tx.database_marks.renew_all()
        if found.course is not Course.WENT_BACK:
            return found.mark.restored_at
        restored_at = await tx.database_marks.record_restore()
        await tx.verdict_hold.lock()
        await tx.verdict_hold.begin(HoldReason.DATABASE_RESTORED)
        await tx.audit.add(AuditEvent(SYSTEM, AuditAction.DATABASE_RESTORED, outcome="noticed"))
        return restored_at

    def _report(self, found: Observation) -> None:
        if found.course is Course.MOVED:
            log.info("the database moved and lost nothing that this process knows")
        if found.course is Course.WENT_BACK:
            self.metrics.alarm("database_restored")
            log.error(
                "an operator must act", kind="database_restored", lost_known=not found.remembered
            )
