"""What operators do after the database went back, or many grants were refused at once."""

from dataclasses import dataclass

from xero_service.domain import Actor, AuditAction, AuditEvent, VerdictHold
from xero_service.services.upkeep import UpkeepService
from xero_service.store.database import Database

BATCH = 5000  # grants that are made due by one statement


@dataclass(frozen=True, slots=True)
class Released:
    """A hold that has ended, None where none stood, and how many grants are tried again."""

    hold: VerdictHold | None
    grants: int


@dataclass(frozen=True, slots=True)
class RestoreService:
    """Releases held verdicts."""

    database: Database
    upkeep: UpkeepService

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
                found = await tx.grant_leases.try_held_again(limit=BATCH)
            grants += found
            if found < BATCH:
                return grants
