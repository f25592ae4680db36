"""Decides what becomes of a grant that Xero refused with `invalid_grant` (design: rule 5)."""

import random
from dataclasses import dataclass
from datetime import timedelta

from xero_service.domain import (
    SYSTEM,
    AuditAction,
    AuditEvent,
    BindingStatus,
    GrantStatus,
    HoldReason,
    RefreshLease,
    RefreshPolicy,
    Verdict,
    VerdictHold,
    retry_after_refusal,
)
from xero_service.domain.verdicts import VERDICT_HELD
from xero_service.services.database_watch import DatabaseWatch
from xero_service.services.tokens.refresh_events import failure_event
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction
from xero_service.telemetry import Metrics, logger

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Ends a refused grant, or holds the verdict until an operator releases it."""

    database: Database
    watch: DatabaseWatch
    policy: RefreshPolicy
    metrics: Metrics

    async def decide(self, lease: RefreshLease) -> tuple[Verdict, timedelta]:
        """Return what became of the grant and, where it is held, the wait before the next try.

        The verdicts of all replicas are decided one after another: each locks the hold. Raises
        ServiceBusy.
        """
        # No verdict is passed before it is known that the database did not go back.
        await self.watch.check()
        retry_in = retry_after_refusal(lease.grant.refresh_failures, fraction=random.random())  # noqa: S311
        async with self.database.transaction() as tx:
            hold = await tx.verdict_hold.lock()
            begins = await self._would_begin(tx, hold)
            verdict = Verdict.UNDECIDED
            if (hold.stands or begins) and await self._hold(tx, lease, retry_in):
                verdict = Verdict.HELD
            elif await self._end(tx, lease, hold):
                verdict = Verdict.ENDED
            begins = begins and verdict is Verdict.HELD
            if begins:
                await tx.verdict_hold.begin(HoldReason.MANY_REFUSED)
                await tx.audit.add(
                    AuditEvent(SYSTEM, AuditAction.VERDICTS_HELD, outcome=HoldReason.MANY_REFUSED)
                )
        if begins:
            self.metrics.alarm("verdicts_held")
            log.error("an operator must act", kind="verdicts_held", reason=HoldReason.MANY_REFUSED)
        return verdict, retry_in

    async def _would_begin(self, tx: Transaction, hold: VerdictHold) -> bool:
        if not hold.may_begin:
            return False
        return hold.would_begin(active=await tx.verdict_hold.count_active_grants())

    async def _hold(self, tx: Transaction, lease: RefreshLease, retry_in: timedelta) -> bool:
        """Keep the grant active; its first held verdict is audited."""
        held = await tx.grant_refreshes.hold_verdict(
            lease, attempt_stays_open=self.policy.attempt_stays_open, retry_in=retry_in
        )
        if held and lease.grant.verdict_held_at is None:
            await tx.audit.add(failure_event(lease.grant, VERDICT_HELD))
        return held

    async def _end(self, tx: Transaction, lease: RefreshLease, hold: VerdictHold) -> bool:
        """Mark the grant dead, and its bindings as needing a person."""
        if not await tx.grant_refreshes.mark_dead(
            lease, attempt_stays_open=self.policy.attempt_stays_open
        ):
            return False
        if lease.grant.status is GrantStatus.ACTIVE:
            await tx.verdict_hold.record_end(hold)
        lost = await tx.bindings.change_status(
            lease.grant.id, old=BindingStatus.ACTIVE, new=BindingStatus.NEEDS_REAUTH
        )
        for org_id in {binding.org_id for binding in lost} or {lease.grant.org_id}:
            await tx.audit.add(failure_event(lease.grant, "dead", org_id))
        return True
