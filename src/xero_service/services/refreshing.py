"""One refresh of one grant: claim, send, settle; what never loses a rotated token.

Terms. An *attempt* is one sending of a refresh token; a *lease* is the right to make one, a term
(grant, generation, holder) that the database's clock ends. The order is always: claim and commit
the intent, send, save the new set alone, and only then show it to anybody. A holder that dies
leaves the mark of its attempt: the next one claims after the lease and sends the old token,
which Xero honours for 30 minutes (facts §2.5). A holder that was merely slow saves by generation,
so nothing newer is overwritten and nothing rotated is lost.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID, uuid4

from xero_service import failpoints
from xero_service.crypto import KeyRing
from xero_service.domain import (
    SYSTEM,
    AuditEvent,
    BindingStatus,
    Grant,
    GrantStatus,
    RefreshLease,
    RefreshPolicy,
    TokenSet,
)
from xero_service.errors import (
    CiphertextUnreadable,
    ExternalAPIError,
    IntegrationError,
    InvalidGrant,
    RateLimitError,
    ReauthorizationRequired,
    ServiceBusy,
    XeroMisconfigured,
    XeroNotReached,
)
from xero_service.failpoints import Place
from xero_service.singleflight import BackgroundWork
from xero_service.store.database import Database
from xero_service.store.grants import SealedTokens
from xero_service.telemetry import Metrics, logger
from xero_service.xero.adapter import XeroAdapter, refreshed_for

LONGEST_BACKOFF = timedelta(seconds=40)  # with upkeep's interval: within a minute (R12)
LONGEST_RETRY_AFTER = timedelta(hours=1)
SAVE_FOR_SECONDS = 300.0  # a set that cannot be stored is kept in memory so long
AT_ONCE = 1000  # refreshes under way in this process, whoever asked for them (R17)
REFUSED_TOO_EARLY = timedelta(seconds=5)  # look again, when another attempt may have settled
# Only these prove that Xero did not rotate. Behind any other failure, a 502 or a spoilt body, a
# new set may be lost: the attempt stays open, and is made again inside Xero's grace.
NOT_ROTATED = (XeroNotReached, RateLimitError, XeroMisconfigured, CiphertextUnreadable)

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Refresher:
    """Refreshes grants; holds no state of its own but what is under way in `background`."""

    database: Database
    xero: XeroAdapter
    keys: KeyRing
    policy: RefreshPolicy
    background: BackgroundWork
    metrics: Metrics
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def current(self, grant_id: UUID) -> Grant:
        """Read a grant, or the one that superseded it; raise where only a person can help."""
        async with self.database.background_transaction() as tx:
            grant = await tx.grants.current(grant_id)
        if grant is None or grant.status is not GrantStatus.ACTIVE:
            raise ReauthorizationRequired("Connect this organisation to Xero again.")
        return grant

    async def refresh(self, grant_id: UUID, *, beyond: int | None) -> Grant:
        """Return the grant with tokens that need no refresh, refreshing it where nobody else does.

        `beyond`: a generation whose access token Xero refused; it counts as due however fresh it
        looks. Raises ReauthorizationRequired, ExternalAPIError or ServiceBusy.
        """
        patience = self.policy.lease.total_seconds()
        give_up = time.monotonic() + patience
        try:
            async with asyncio.timeout(patience):
                await self.slots.acquire()
        except TimeoutError:
            raise ServiceBusy("Too many tokens are being renewed at this moment.") from None
        try:
            return await self._refresh(grant_id, beyond, give_up)
        finally:
            self.slots.release()

    async def _refresh(self, grant_id: UUID, beyond: int | None, give_up: float) -> Grant:
        for pause in _pauses():
            grant = await self.current(grant_id)
            if not self._is_due(grant, beyond):
                return grant
            if (wait := grant.backs_off_for()) > timedelta():
                raise _backing_off(grant, wait)
            claim_began = time.monotonic()
            async with self.database.background_transaction() as tx:
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

    def _is_due(self, grant: Grant, beyond: int | None) -> bool:
        if beyond is not None and grant.generation <= beyond:
            return True
        return grant.needs_refresh(self.policy)

    async def _send_within_deadline(self, lease: RefreshLease, claim_began: float) -> Grant:
        """Send, and wait until the deadline; the answer is read to its end all the same."""
        patience = self.policy.deadline.total_seconds() - (time.monotonic() - claim_began)
        if patience < self.policy.lease.total_seconds() / 3:
            # Too little of the lease is left: another could claim while we are still sending.
            await self._fail(lease, ServiceBusy.code, timedelta(), answered=True)
            raise ServiceBusy("The database is slow.")
        failpoints.reached(Place.REFRESH_CLAIMED)
        attempt = self.background.start(self._send_and_settle(lease))
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(attempt)
        except TimeoutError:
            if attempt.done():
                return attempt.result()
        retry_in = self._backoff(lease.grant)
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_transaction() as tx:
                await tx.grant_leases.record_silence(
                    lease, error=ExternalAPIError.code, retry_in=retry_in
                )
        self._count("late")
        raise ExternalAPIError(
            "Xero is taking too long to renew the tokens.",
            retry_after=ceil(retry_in.total_seconds()),
        )

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
            return await self._settle_refusal(lease, refusal)
        except IntegrationError as error:
            await self._settle_failure(lease, error)
            raise
        return await self._save(lease, tokens)

    async def _save(self, lease: RefreshLease, tokens: TokenSet) -> Grant:
        """Store the set before anybody sees it, however long the database is away."""
        failpoints.reached(Place.REFRESH_ANSWERED)
        sealed = seal(self.keys, lease.grant.id, tokens, asked_at=lease.claimed_at)
        give_up = time.monotonic() + SAVE_FOR_SECONDS
        for pause in _pauses():
            try:
                async with self.database.background_transaction() as tx:
                    saved = await tx.grant_leases.save_rotated(lease, sealed)
                break
            except Exception:
                # Whatever the database has against it, this may be the only copy of the set.
                if time.monotonic() > give_up:
                    raise
                log.exception("rotated tokens wait for the database", grant_id=lease.grant.id)
                await asyncio.sleep(pause)
        failpoints.reached(Place.REFRESH_SAVED)
        self._count("rotated" if saved else "overtaken")
        if saved is None:
            return await self.current(lease.grant.id)
        await self._record(lease.grant, "grant.refreshed", "ok")
        if saved.status is not GrantStatus.ACTIVE:
            return await self.current(saved.id)
        return saved

    async def _settle_refusal(self, lease: RefreshLease, refusal: InvalidGrant) -> Grant:
        """End the grant, unless a newer set exists or another holder's attempt is still open."""
        failpoints.reached(Place.REFRESH_REFUSED)
        async with self.database.transaction() as tx:
            dead = await tx.grant_leases.mark_dead(
                lease, attempt_stays_open=self.policy.attempt_stays_open
            )
            if dead:
                lost = await tx.bindings.change_status(
                    lease.grant.id, old=BindingStatus.ACTIVE, new=BindingStatus.NEEDS_REAUTH
                )
                for org_id in {binding.org_id for binding in lost} or {lease.grant.org_id}:
                    await tx.audit.add(_event(lease.grant, "grant.refresh_failed", "dead", org_id))
        if dead:
            self._count("invalid_grant")
            log.warning("xero ended a grant", grant_id=lease.grant.id)
            raise ReauthorizationRequired("Connect this organisation to Xero again.") from refusal
        if newer := await self._newer(lease.grant):
            return newer
        self._count("refused_early")
        await self._fail(lease, "xero_unavailable", REFUSED_TOO_EARLY, answered=True)
        raise ExternalAPIError(
            "Another attempt to renew these tokens is not settled yet.",
            retry_after=ceil(REFUSED_TOO_EARLY.total_seconds()),
        ) from refusal

    async def _newer(self, seen: Grant) -> Grant | None:
        """Return the live grant where it has moved past the one seen."""
        with contextlib.suppress(ReauthorizationRequired):
            grant = await self.current(seen.id)
            if (grant.id, grant.generation) != (seen.id, seen.generation):
                return grant
        return None

    async def _settle_failure(self, lease: RefreshLease, error: IntegrationError) -> None:
        self._count(error.code)
        retry_in = self._backoff(lease.grant)
        if isinstance(error, RateLimitError) and error.retry_after:
            retry_in = min(timedelta(seconds=error.retry_after), LONGEST_RETRY_AFTER)
        if isinstance(error, XeroMisconfigured):
            self.metrics.alarms.labels("invalid_client").inc()
            log.error("an operator must act", kind="invalid_client", grant_id=lease.grant.id)
        if not isinstance(error, RateLimitError):
            error.retry_after = max(1, ceil(retry_in.total_seconds()))
        await self._fail(lease, error.code, retry_in, answered=isinstance(error, NOT_ROTATED))

    async def _fail(
        self, lease: RefreshLease, error: str, retry_in: timedelta, *, answered: bool
    ) -> None:
        """Give the lease back; where the database is away it simply runs out."""
        if lease.takes_over or not answered:
            retry_in = min(retry_in, LONGEST_BACKOFF)
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_transaction() as tx:
                await tx.grant_leases.record_failure(
                    lease, error=error, retry_in=retry_in, answered=answered
                )
                await tx.audit.add(_event(lease.grant, "grant.refresh_failed", error))

    async def _record(self, grant: Grant, action: str, outcome: str) -> None:
        """Append to the audit log; the tokens are saved already, so this may fail."""
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_transaction() as tx:
                await tx.audit.add(_event(grant, action, outcome))

    def _backoff(self, grant: Grant) -> timedelta:
        """Full jitter over a doubling range, so that a thousand grants come back spread out."""
        ceiling = min(2.0 ** min(grant.refresh_failures + 1, 10), LONGEST_BACKOFF.total_seconds())
        return timedelta(seconds=1 + random.uniform(0, ceiling - 1))  # noqa: S311

    def _count(self, outcome: str) -> None:
        self.metrics.refreshes.labels(outcome).inc()


def seal(keys: KeyRing, grant_id: UUID, tokens: TokenSet, *, asked_at: datetime) -> SealedTokens:
    """Seal a set for its grant; it expires counted from before it was asked for."""
    return SealedTokens(
        access_token_enc=keys.encrypt_token(tokens.access_token, f"{grant_id}:access_token_enc"),
        refresh_token_enc=keys.encrypt_token(tokens.refresh_token, f"{grant_id}:refresh_token_enc"),
        issued_at=asked_at,
        expires_at=asked_at + tokens.expires_in,
    )


def _pauses() -> Iterator[float]:
    """Yield seconds to wait for somebody else's refresh: 50 → 250 ms, with jitter."""
    pause = 0.05
    while True:
        yield pause * random.uniform(0.75, 1.25)  # noqa: S311
        pause = min(pause * 1.5, 0.25)


def _backing_off(grant: Grant, wait: timedelta) -> ExternalAPIError:
    kinds: dict[str, type[ExternalAPIError]] = {
        kind.code: kind for kind in (RateLimitError, XeroMisconfigured)
    }
    kind = kinds.get(grant.last_error or "", ExternalAPIError)
    return kind("Renewing the tokens failed a moment ago.", retry_after=ceil(wait.total_seconds()))


def _event(grant: Grant, action: str, outcome: str, org_id: str | None = None) -> AuditEvent:
    return AuditEvent(
        actor=SYSTEM,
        action=action,
        outcome=outcome,
        org_id=org_id or grant.org_id,
        grant_id=grant.id,
        detail={"generation": grant.generation},
    )
