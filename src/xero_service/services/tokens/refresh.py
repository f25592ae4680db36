"""One refresh of one grant: claim, send, settle; what never loses a rotated token.

Terms. An *attempt* is one sending of a refresh token; a *lease* is the right to make one, a term
(grant, generation, holder) that the database's clock ends. The order is always: claim and commit
the intent, send, save the new set alone, and only then show it to anybody. A holder that dies
leaves the mark of its attempt: the next one claims after the lease and sends the old token,
which Xero honours for 30 minutes (facts §2.5). A holder that was merely slow saves by generation,
so nothing newer is overwritten and nothing rotated is lost.
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
from xero_service.services.tokens.refresh_outcomes import RefreshOutcomes, pauses
from xero_service.store.database import Database
from xero_service.xero.adapter import XeroAdapter, refreshed_for

AT_ONCE = 1000  # refreshes under way in this process, whoever asked for them (R17)


@dataclass(frozen=True, slots=True)
class TokenRefresher:
    """Refreshes grants; holds no state of its own but what is under way in `background`."""

    database: Database
    xero: XeroAdapter
    keys: KeyRing
    policy: RefreshPolicy
    outcomes: RefreshOutcomes
    background: BackgroundWork
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def refresh(self, grant_id: UUID, *, newer_than: int | None) -> Grant:
        """Return the grant with tokens that need no refresh, refreshing it where nobody else does.

        `newer_than`: a generation whose access token Xero refused; the grant counts as due while it
        is at this generation. Raises ReauthorizationRequired, ExternalAPIError or ServiceBusy.
        """
        patience = self.policy.lease.total_seconds()
        give_up = time.monotonic() + patience
        try:
            async with asyncio.timeout(patience):
                await self.slots.acquire()
        except TimeoutError:
            raise ServiceBusy("Too many tokens are being renewed at this moment.") from None
        try:
            return await self._refresh(grant_id, newer_than, give_up)
        finally:
            self.slots.release()

    async def _refresh(self, grant_id: UUID, newer_than: int | None, give_up: float) -> Grant:
        for pause in pauses():
            grant = await self.outcomes.current(grant_id)
            if not self._is_due(grant, newer_than):
                return grant
            if (wait := grant.backs_off_for()) > timedelta():
                raise _backing_off(grant, wait)
            if not grant.is_leased():
                claim_began = time.monotonic()
                async with self.database.background_autocommit() as tx:
                    lease = await tx.grant_leases.claim_refresh(
                        grant, holder=uuid4(), ttl=self.policy.lease
                    )
                if lease is not None:
                    return await self._send_within_deadline(lease, claim_began)
            if time.monotonic() > give_up:
                break
            await asyncio.sleep(pause)
        raise ServiceBusy("Another refresh of this grant is taking too long.", retry_after=5)

    async def settle_interrupted(self, grant_id: UUID) -> None:
        """Finish an attempt that was cut short, also on a grant that was revoked meanwhile.

        Whoever revokes needs the newest set. Raises ExternalAPIError or ServiceBusy where it is
        not to be had yet, ReauthorizationRequired where it never will be.
        """
        async with self.database.transaction() as tx:
            grant = await tx.grants.get(grant_id)
            if grant is None or grant.refresh_sent_at is None:
                return
            claim_began = time.monotonic()
            lease = await tx.grant_leases.claim_refresh(
                grant, holder=uuid4(), ttl=self.policy.lease, even_revoked=True
            )
        if lease is None:
            return
        try:
            await self._send_within_deadline(lease, claim_began)
        except ReauthorizationRequired:
            # A set that was saved on a revoked grant is of use to nobody else.
            async with self.database.transaction() as tx:
                now = await tx.grants.get(grant_id)
            if now is not None and now.generation == grant.generation:
                raise

    def _is_due(self, grant: Grant, newer_than: int | None) -> bool:
        if newer_than is not None and grant.generation <= newer_than:
            return True
        return grant.needs_refresh(self.policy)

    async def _send_within_deadline(self, lease: RefreshLease, claim_began: float) -> Grant:
        """Send, and wait until the deadline; the answer is read to its end all the same."""
        failpoints.reached(Place.REFRESH_CLAIMED)
        patience = self.policy.deadline.total_seconds() - (time.monotonic() - claim_began)
        if patience < self.policy.lease.total_seconds() / 3:
            # Too little of the lease is left: another could claim while we are still sending.
            raise await self.outcomes.release_unsent(lease)
        attempt = self.background.start(self._send_and_settle(lease))
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(attempt)
        except TimeoutError:
            if attempt.done():
                return attempt.result()
        raise await self.outcomes.record_timeout(lease)

    async def _send_and_settle(self, lease: RefreshLease) -> Grant:
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


def _backing_off(grant: Grant, wait: timedelta) -> ExternalAPIError:
    kinds: dict[str, type[ExternalAPIError]] = {
        kind.code: kind for kind in (RateLimitError, XeroMisconfigured)
    }
    kind = kinds.get(grant.last_error or "", ExternalAPIError)
    return kind("Renewing the tokens failed a moment ago.", retry_after=ceil(wait.total_seconds()))
