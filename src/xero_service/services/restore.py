"""What operators do after the database went back, or many grants were refused at once."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

from xero_service.domain import (
    Actor,
    AuditAction,
    AuditEvent,
    HoldReason,
    RenewalProgress,
    ServiceKey,
    VerdictHold,
)
from xero_service.services.upkeep import UpkeepService
from xero_service.store.audit import Recorded
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction

BATCH = 5000  # grants that are made due by one statement
POLL_SECONDS = 0.2
# Other replicas may be renewing grants at the same time; then their outcome is waited for.
OTHERS_SECONDS = 60.0
# What changes who may do what; the rest of the log is use.
CHANGES = (
    AuditAction.KEY_CREATED,
    AuditAction.KEY_REVOKED,
    AuditAction.GRANT_CONNECTED,
    AuditAction.GRANT_SUPERSEDED,
    AuditAction.BINDING_SELECTED,
    AuditAction.BINDING_SUSPENDED,
    AuditAction.BINDING_RESUMED,
    AuditAction.BINDING_ACCESS_LOST,
    AuditAction.BINDING_RESTORED,
    AuditAction.BINDING_DISCONNECTED,
    AuditAction.WEBHOOK_CREATED,
    AuditAction.WEBHOOK_ROTATED,
    AuditAction.WEBHOOK_DISABLED,
    AuditAction.WEBHOOK_ENABLED,
)


@dataclass(frozen=True, slots=True)
class Released:
    """A hold that has ended, None where none stood, and how many grants are tried again."""

    hold: VerdictHold | None
    grants: int


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was renewed after a restore, and what the restored database knows.

    `reaches_to`: the time of the last event from before the restore; None for an empty log.
    """

    hold: VerdictHold
    progress: RenewalProgress
    reaches_to: datetime | None
    changes: tuple[Recorded, ...]
    valid_keys: tuple[ServiceKey, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every active grant was renewed."""
        return not (self.progress.refused or self.progress.unreachable)


@dataclass(frozen=True, slots=True)
class RestoreService:
    """Renews what a restored database can still renew, and releases held verdicts."""

    database: Database
    upkeep: UpkeepService

    async def restored(self, actor: Actor, *, since: datetime) -> RestoreReport:
        """Hold verdicts, renew every active grant, and report what changed since a time.

        Idempotent: where the restore was noticed already, only what is left is renewed. Raises
        ServiceBusy.
        """
        async with self.database.transaction() as tx:
            restored_at = await self._hold(tx, actor)
        await self.upkeep.refresh_due()
        progress = await self._progress()
        async with self.database.transaction() as tx:
            return RestoreReport(
                hold=await tx.verdict_hold.lock(),
                progress=progress,
                reaches_to=await tx.audit.newest_before(restored_at),
                changes=await tx.audit.of_actions(CHANGES, since=since, until=restored_at),
                valid_keys=tuple(key for key in await tx.service_keys.all() if key.is_valid),
            )

    async def _hold(self, tx: Transaction, actor: Actor) -> datetime:
        """Hold verdicts and make every grant due, unless that was done for this restore."""
        mark = await tx.database_marks.lock()
        hold = await tx.verdict_hold.lock()
        if hold.reason is HoldReason.DATABASE_RESTORED and mark.restored_at is not None:
            return mark.restored_at
        await tx.database_marks.save_identity(await tx.database_marks.identity())
        restored_at = await tx.database_marks.record_restore()
        await tx.verdict_hold.begin(HoldReason.DATABASE_RESTORED)
        await tx.audit.add(AuditEvent(actor, AuditAction.DATABASE_RESTORED))
        return restored_at

    async def _progress(self) -> RenewalProgress:
        """Return how the renewal ended, or stands after a minute."""
        deadline = time.monotonic() + OTHERS_SECONDS
        while True:
            async with self.database.transaction() as tx:
                progress = await tx.database_marks.renewal_progress(
                    under_way_for=self.upkeep.policy.lease
                )
            if not progress.under_way or time.monotonic() > deadline:
                return progress
            await asyncio.sleep(POLL_SECONDS)

    async def hold(self) -> VerdictHold | None:
        """Return the hold that stands, if any."""
        async with self.database.transaction() as tx:
            found = await tx.verdict_hold.read()
        return found if found is not None and found.stands else None

    async def notices_timelines(self) -> bool:
        """Return whether processes that remember nothing can notice a restore."""
        async with self.database.transaction() as tx:
            return await tx.database_marks.identity() is not None

    async def release_verdicts(self, actor: Actor) -> Released:
        """End the hold; each held grant is then tried once more, and ends if Xero refuses it.

        Idempotent: a repetition makes grants due that an interrupted one left.
        """
        async with self.database.transaction() as tx:
            hold = await tx.verdict_hold.lock()
            if hold.stands:
                await tx.verdict_hold.release()
                await tx.audit.add(
                    AuditEvent(actor, AuditAction.VERDICTS_RELEASED, detail={"reason": hold.reason})
                )
        return Released(hold if hold.stands else None, await self._try_held_again())

    async def _try_held_again(self) -> int:
        """Clear the backoff of the grants whose verdict was held; upkeep refreshes them."""
        grants = 0
        while True:
            async with self.database.background_transaction() as tx:
                found = await tx.grant_refreshes.try_held_again(limit=BATCH)
            grants += found
            if found < BATCH:
                return grants
