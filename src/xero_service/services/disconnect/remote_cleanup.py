"""Remote cleanups: revoke grants and delete connections at Xero, never after a new consent."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from xero_service import failpoints
from xero_service.domain import (
    SYSTEM,
    AuditAction,
    AuditEvent,
    Cleanup,
    CleanupKind,
    CleanupOutcome,
    Grant,
    GrantStatus,
)
from xero_service.errors import (
    IntegrationError,
    ReauthorizationRequired,
    ServiceBusy,
    TokenDoubted,
    TokenExpired,
    XeroAccessRefused,
    XeroNoResponse,
)
from xero_service.failpoints import Place
from xero_service.services.leases import LeaseManager, fair_lock
from xero_service.services.tokens.service import TokenService
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction
from xero_service.telemetry import logger
from xero_service.timeouts import (
    CLEANUP_EXCHANGE_LEASE_WAIT_SECONDS,
    CLEANUP_LEASE_WAIT_SECONDS,
    LONGEST_CLEANUP_BACKOFF_SECONDS,
)
from xero_service.xero.adapter import XeroAdapter

RECORDED_AS = {
    CleanupKind.REVOKE: AuditAction.REMOTE_REVOKE,
    CleanupKind.DELETE_CONNECTION: AuditAction.REMOTE_DELETE_CONNECTION,
}

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class CleanupService:
    """Carries out pending remote cleanups at Xero."""

    database: Database
    xero: XeroAdapter
    tokens: TokenService
    leases: LeaseManager
    # Revocations run one at a time, because each blocks every exchange of a code.
    revoking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def execute(self, cleanup_id: UUID) -> CleanupOutcome | None:
        """Carry out a cleanup at Xero and return its outcome; None if upkeep must retry it.

        Idempotent: a second call, also a concurrent one, finds the cleanup done.
        """
        async with self.database.transaction() as tx:
            cleanup = await tx.cleanups.lock_pending(cleanup_id)
        if cleanup is None:
            return CleanupOutcome.DONE
        try:
            if cleanup.kind is CleanupKind.REVOKE:
                return await self._revoke(cleanup)
            return await self._delete_connection(cleanup)
        except ReauthorizationRequired:
            outcome: CleanupOutcome | None = CleanupOutcome.IMPOSSIBLE
        except IntegrationError as error:
            log.warning(
                "a disconnect at xero is still pending", reason=error.code, kind=cleanup.kind
            )
            outcome = None
        async with self.database.transaction() as tx:
            if outcome is None:
                await tx.cleanups.postpone(cleanup.id, _backoff(cleanup.attempts))
            else:
                await self.record_outcome(tx, cleanup, outcome)
        return outcome

    async def _revoke(self, cleanup: Cleanup) -> CleanupOutcome:
        """Revoke with the newest token set, while leases exclude refreshes and exchanges."""
        await self.tokens.refresher.finish_interrupted(cleanup.grant_id)
        # The exchange lease is claimed last and held briefly: every exchange waits for it.
        async with (
            fair_lock(self.revoking, max_wait=None),
            self.leases.grant_lease(cleanup.grant_id, max_wait=CLEANUP_LEASE_WAIT_SECONDS) as grant,
            self.leases.exchange_lease(max_wait=CLEANUP_EXCHANGE_LEASE_WAIT_SECONDS),
        ):
            held_since = time.monotonic()
            if not await self._is_pending(cleanup):
                return CleanupOutcome.CANCELLED
            if grant.refresh_sent_at is not None:
                raise ServiceBusy("A refresh of this grant has no answer yet.")
            if grant.refresh_token_enc is not None:
                refresh_token = self.tokens.refresh_token(grant)
                async with self._limit_to_lease(held_since):
                    await self.xero.revoke_token(refresh_token)
            failpoints.reached(Place.REVOCATION_ANSWERED)
            async with self.database.transaction() as tx:
                await self.record_outcome(tx, cleanup, CleanupOutcome.DONE)
                # The revocation deleted all connections of the user (facts §1.9).
                await tx.cleanups.finish_deletions(cleanup.grant_id)
            failpoints.reached(Place.CLEANUP_COMMITTED)
        return CleanupOutcome.DONE

    async def _delete_connection(self, cleanup: Cleanup) -> CleanupOutcome:
        """Delete one connection with a live token; the Xero user's other tenants stay connected."""
        current = await self._load_for_deletion(cleanup)
        try:
            return await self._delete_with(current, cleanup)
        except (TokenExpired, TokenDoubted) as refused:
            # The next try uses the new token.
            _ = await self.tokens.refresh_after_refusal(current, type(refused))
            raise

    async def _delete_with(self, current: Grant, cleanup: Cleanup) -> CleanupOutcome:
        async with self.leases.grant_lease(
            current.id, max_wait=CLEANUP_LEASE_WAIT_SECONDS
        ) as grant:
            held_since = time.monotonic()
            if not await self._is_pending(cleanup):
                return CleanupOutcome.CANCELLED
            async with self.database.transaction() as tx:
                if await tx.authorisations.unread(grant.id):
                    # That consent may reach this tenant, which cancels the deletion.
                    raise ServiceBusy("A consent of this grant has not been read yet.")
            if grant.status is not GrantStatus.ACTIVE:
                raise ServiceBusy("The grant was superseded or ended meanwhile.")
            async with self._limit_to_lease(held_since):
                await self._delete_or_confirm_absent(self.tokens.access_token(grant), cleanup)
            failpoints.reached(Place.DELETION_ANSWERED)
            async with self.database.transaction() as tx:
                await self.record_outcome(tx, cleanup, CleanupOutcome.DONE)
        return CleanupOutcome.DONE

    async def _load_for_deletion(self, cleanup: Cleanup) -> Grant:
        """Return the grant with a live token; raises ServiceBusy if its revocation is pending."""
        try:
            current = await self.tokens.load_active(cleanup.grant_id)
        except ReauthorizationRequired:
            async with self.database.transaction() as tx:
                if await tx.cleanups.has_pending_revocation(cleanup.xero_user_id):
                    raise ServiceBusy("The grant is about to be revoked.") from None
            raise
        if current.valid_for() < timedelta(minutes=1):
            current = await self.tokens.refresh_grant_single_flight(current.id)
        return current

    async def _delete_or_confirm_absent(self, access_token: str, cleanup: Cleanup) -> None:
        try:
            await self.xero.delete_connection(access_token, cleanup.connection_id or "")
        except XeroAccessRefused:
            # Xero answers 403 for an id that is no longer the user's, too (facts §1.11).
            connections = await self.xero.get_tenants(access_token)
            if cleanup.connection_id in connections.ids:
                raise

    @asynccontextmanager
    async def _limit_to_lease(self, held_since: float) -> AsyncIterator[None]:
        """Context manager for a call to Xero: it starts and ends within the lease, or raises."""
        if time.monotonic() - held_since > self.leases.call_seconds / 2:
            raise ServiceBusy("The database is slow.")
        try:
            async with asyncio.timeout(self.leases.call_seconds):
                yield
        except TimeoutError as error:
            raise XeroNoResponse("Xero took too long over a disconnect.") from error

    async def _is_pending(self, cleanup: Cleanup) -> bool:
        async with self.database.transaction() as tx:
            return await tx.cleanups.lock_pending(cleanup.id) is not None

    async def record_outcome(
        self, tx: Transaction, cleanup: Cleanup, outcome: CleanupOutcome
    ) -> None:
        """Save and audit the outcome, and remove the tenants from what the consents reached.

        The tokens of a revoked grant are erased.
        """
        if cleanup.kind is CleanupKind.REVOKE:
            await tx.grants.erase_tokens(cleanup.grant_id)
        if not await tx.cleanups.finish(cleanup.id, outcome):
            return  # a concurrent call recorded the outcome
        if cleanup.kind is CleanupKind.REVOKE:
            await tx.authorisations.forget_all(cleanup.grant_id)
        elif cleanup.tenant_id is not None:
            await tx.authorisations.forget_tenant(cleanup.xero_user_id, cleanup.tenant_id)
        await tx.audit.add(
            AuditEvent(
                SYSTEM,
                RECORDED_AS[cleanup.kind],
                outcome.value,
                org_id=cleanup.org_id,
                grant_id=cleanup.grant_id,
            )
        )


def _backoff(attempts: int) -> timedelta:
    ceiling = min(2.0 ** min(attempts + 1, 12), LONGEST_CLEANUP_BACKOFF_SECONDS)
    return timedelta(seconds=1 + random.uniform(0, ceiling))  # noqa: S311
