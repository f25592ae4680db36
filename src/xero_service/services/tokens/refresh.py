"""Refresh one grant: claim the lease, send the refresh token, record the outcome.

Terms. An *attempt* is one sending of a refresh token; a *lease* is the right to make one, a term
(grant, generation, holder) that the database's clock ends. The order is always: claim and commit
the intent, send, commit the new set alone, and only then return it to callers. A holder that dies
leaves the mark of its attempt: the next holder claims once the lease has expired and sends the old
token, which Xero accepts for 30 minutes (facts §2.5). A holder that was slow saves by generation,
so nothing newer is overwritten and no rotated token is lost.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from uuid import UUID, uuid4

from xero_service import failpoints
from xero_service.background import BackgroundWork
from xero_service.crypto import KeyRing
from xero_service.domain import Grant, RefreshLease, RefreshPolicy
from xero_service.errors import (
    ExternalAPIError,
    IntegrationError,
    InvalidGrant,
    RateLimitError,
    ReauthorizationRequired,
    ServiceBusy,
    XeroMisconfigured,
)
from xero_service.failpoints import Place
from xero_service.services.tokens.refresh_outcomes import RefreshOutcomes, poll_intervals
from xero_service.store.database import Database
from xero_service.xero.adapter import XeroAdapter, refreshed_for

AT_ONCE = 1000  # concurrent refreshes in this process, of callers and of upkeep (R17)


@dataclass(frozen=True, slots=True)
class TokenRefresher:
    """Refreshes grants; attempts in flight run in `background`, not in the caller's task."""

    database: Database
    xero: XeroAdapter
    keys: KeyRing
    policy: RefreshPolicy
    outcomes: RefreshOutcomes
    background: BackgroundWork
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def refresh(self, grant_id: UUID, *, newer_than: int | None) -> Grant:
        """Return the grant with tokens that need no refresh, refreshing it if it is due.

        `newer_than`: a generation whose access token Xero refused; the grant counts as due while it
        is at this generation. Raises ReauthorizationRequired, ExternalAPIError or ServiceBusy.
        """
        max_wait = self.policy.lease.total_seconds()
        deadline = time.monotonic() + max_wait
        try:
            async with asyncio.timeout(max_wait):
                await self.slots.acquire()
        except TimeoutError:
            raise ServiceBusy("Too many tokens are being refreshed at this moment.") from None
        try:
            return await self._refresh(grant_id, newer_than, deadline)
        finally:
            self.slots.release()

    async def _refresh(self, grant_id: UUID, newer_than: int | None, deadline: float) -> Grant:
        for interval in poll_intervals():
            grant = await self.outcomes.load_active(grant_id)
            if not self._is_due(grant, newer_than):
                return grant
            if (wait := grant.backs_off_for()) > timedelta():
                raise _backoff_error(grant, wait)
            if not grant.is_leased():
                claim_began = time.monotonic()
                async with self.database.background_autocommit() as tx:
                    lease = await tx.grant_refreshes.claim_refresh(
                        grant, holder=uuid4(), ttl=self.policy.lease
                    )
                if lease is not None:
                    return await self._send_within_deadline(lease, claim_began)
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(interval)
        raise ServiceBusy("Another refresh of this grant is taking too long.", retry_after=5)

    async def finish_interrupted(self, grant_id: UUID) -> None:
        """Repeat an attempt that has no recorded answer, also on a grant that is revoked by now.

        A revocation needs the newest token set. Raises ExternalAPIError or ServiceBusy while that
        set is not known, ReauthorizationRequired where Xero ended the grant.
        """
        async with self.database.transaction() as tx:
            grant = await tx.grants.get(grant_id)
            if grant is None or grant.refresh_sent_at is None:
                return
            claim_began = time.monotonic()
            lease = await tx.grant_refreshes.claim_refresh(
                grant, holder=uuid4(), ttl=self.policy.lease, even_revoked=True
            )
        if lease is None:
            return
        try:
            await self._send_within_deadline(lease, claim_began)
        except ReauthorizationRequired:
            # Raised as well where the set was saved: a revoked grant is never returned as active.
            async with self.database.transaction() as tx:
                current = await tx.grants.get(grant_id)
            if current is not None and current.generation == grant.generation:
                raise

    def _is_due(self, grant: Grant, newer_than: int | None) -> bool:
        if newer_than is not None and grant.generation <= newer_than:
            return True
        return grant.needs_refresh(self.policy)

    async def _send_within_deadline(self, lease: RefreshLease, claim_began: float) -> Grant:
        """Send and wait until the deadline; the attempt goes on in the background after it."""
        failpoints.reached(Place.REFRESH_CLAIMED)
        time_left = self.policy.deadline.total_seconds() - (time.monotonic() - claim_began)
        if time_left < self.policy.lease.total_seconds() / 3:
            # Too little of the lease is left: another holder could claim while this one sends.
            raise await self.outcomes.release_unsent(lease)
        attempt = self.background.start(self._send_and_record(lease))
        try:
            async with asyncio.timeout(time_left):
                return await asyncio.shield(attempt)
        except TimeoutError:
            if attempt.done():
                return attempt.result()
        raise await self.outcomes.record_timeout(lease)

    async def _send_and_record(self, lease: RefreshLease) -> Grant:
        with self.outcomes.metrics.refresh_seconds.time():
            return await self._send(lease)

    async def _send(self, lease: RefreshLease) -> Grant:
        grant = lease.grant
        try:
            refresh_token = self.keys.decrypt_token(
                grant.refresh_token_enc or "", f"{grant.id}:refresh_token_enc"
            )
            tokens = refreshed_for(
                await self.xero.refresh_tokens(refresh_token), grant.xero_user_id
            )
        except InvalidGrant as refusal:
            return await self.outcomes.on_invalid_grant(lease, refusal)
        except IntegrationError as error:
            await self.outcomes.record_failure(lease, error)
            raise
        return await self.outcomes.save_rotated(lease, tokens)


def _backoff_error(grant: Grant, wait: timedelta) -> ExternalAPIError:
    kinds: dict[str, type[ExternalAPIError]] = {
        kind.code: kind for kind in (RateLimitError, XeroMisconfigured)
    }
    kind = kinds.get(grant.last_error or "", ExternalAPIError)
    return kind(
        "The last refresh of these tokens failed a moment ago.",
        retry_after=ceil(wait.total_seconds()),
    )
