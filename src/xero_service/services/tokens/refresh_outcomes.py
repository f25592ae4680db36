"""What became of an attempt to refresh: a new set, a refusal, a failure, or silence so far.

A set is saved by generation, whoever holds the lease by now; everything else is written down for
the one term (grant, generation, holder) that it belongs to, so that it touches nothing newer.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from xero_service import failpoints
from xero_service.crypto import KeyRing
from xero_service.domain import (
    CONNECT_AGAIN,
    SYSTEM,
    AuditAction,
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
    XeroUnreachable,
)
from xero_service.failpoints import Place
from xero_service.store.database import Database
from xero_service.store.grants import SealedTokens
from xero_service.telemetry import Metrics, logger
from xero_service.timeouts import LONGEST_REFRESH_BACKOFF, LONGEST_RETRY_AFTER, SAVE_FOR_SECONDS

REFUSED_TOO_EARLY = timedelta(seconds=5)  # look again, when another attempt may have settled
# Only these prove that Xero did not rotate. Behind any other failure, a 502 or a spoilt body, a
# new set may be lost: the attempt stays open, and is made again inside Xero's grace.
NOT_ROTATED = (XeroUnreachable, RateLimitError, XeroMisconfigured, CiphertextUnreadable)

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class RefreshOutcomes:
    """Writes down how attempts end."""

    database: Database
    keys: KeyRing
    policy: RefreshPolicy
    metrics: Metrics

    async def current(self, grant_id: UUID) -> Grant:
        """Read a grant, or the one that superseded it; raise where only a person can help."""
        async with self.database.background_autocommit() as tx:
            grant = await tx.grants.current(grant_id)
        if grant is None:
            raise ReauthorizationRequired(CONNECT_AGAIN)
        grant.require_active()
        return grant

    async def save_rotated(self, lease: RefreshLease, tokens: TokenSet) -> Grant:
        """Store the set before anybody sees it, however long the database is away."""
        failpoints.reached(Place.REFRESH_ANSWERED)
        sealed = seal(self.keys, lease.grant.id, tokens, asked_at=lease.claimed_at)
        give_up = time.monotonic() + SAVE_FOR_SECONDS
        for pause in pauses():
            try:
                async with self.database.background_autocommit() as tx:
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
        await self._record_success(lease.grant)
        if saved.status is not GrantStatus.ACTIVE:
            return await self.current(saved.id)
        return saved

    async def on_invalid_grant(self, lease: RefreshLease, refusal: InvalidGrant) -> Grant:
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
                    await tx.audit.add(_failure(lease.grant, "dead", org_id))
        if dead:
            self._count("invalid_grant")
            log.warning("xero ended a grant", grant_id=lease.grant.id)
            raise ReauthorizationRequired(CONNECT_AGAIN) from refusal
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

    async def record_failure(self, lease: RefreshLease, error: IntegrationError) -> None:
        """Give the lease back, and say when to come again: to the database and in the error."""
        self._count(error.code)
        retry_in = self._backoff(lease.grant)
        if isinstance(error, RateLimitError) and error.retry_after:
            retry_in = min(timedelta(seconds=error.retry_after), LONGEST_RETRY_AFTER)
        if isinstance(error, XeroMisconfigured):
            self.metrics.alarm("invalid_client")
            log.error("an operator must act", kind="invalid_client", grant_id=lease.grant.id)
        if not isinstance(error, RateLimitError):
            error.retry_after = max(1, ceil(retry_in.total_seconds()))
        await self._fail(lease, error.code, retry_in, answered=isinstance(error, NOT_ROTATED))

    async def record_timeout(self, lease: RefreshLease) -> ExternalAPIError:
        """Note that no answer came by the deadline; return what those who wait are told."""
        retry_in = self._backoff(lease.grant)
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_transaction() as tx:
                is_first = await tx.grant_leases.record_no_response(
                    lease, error=ExternalAPIError.code, retry_in=retry_in
                )
                if is_first:
                    await tx.audit.add(_failure(lease.grant, ExternalAPIError.code))
        self._count("late")
        return ExternalAPIError(
            "Xero is taking too long to renew the tokens.",
            retry_after=ceil(retry_in.total_seconds()),
        )

    async def release_unsent(self, lease: RefreshLease) -> ServiceBusy:
        """Give back a lease of which too little is left to send anything."""
        await self._fail(lease, ServiceBusy.code, timedelta(), answered=True)
        return ServiceBusy("The database is slow.")

    async def _fail(
        self, lease: RefreshLease, error: str, retry_in: timedelta, *, answered: bool
    ) -> None:
        """Give the lease back; where the database is away it simply runs out.

        Of an outage the first failure is audited, and then the refresh that ends it: the log is
        append-only and kept for a year, and every grant fails twice a minute.
        """
        if lease.takes_over or not answered:
            retry_in = min(retry_in, LONGEST_REFRESH_BACKOFF)
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_transaction() as tx:
                is_first = await tx.grant_leases.record_failure(
                    lease, error=error, retry_in=retry_in, answered=answered
                )
                if is_first:
                    await tx.audit.add(_failure(lease.grant, error))

    async def _record_success(self, grant: Grant) -> None:
        """Append to the audit log; the tokens are saved already, so this may fail."""
        ended = {"afterFailures": grant.refresh_failures} if grant.refresh_failures else {}
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_autocommit() as tx:
                await tx.audit.add(_event(grant, AuditAction.GRANT_REFRESHED, "ok", **ended))

    def _backoff(self, grant: Grant) -> timedelta:
        """Full jitter over a doubling range, so that a thousand grants come back spread out."""
        ceiling = min(
            2.0 ** min(grant.refresh_failures + 1, 10), LONGEST_REFRESH_BACKOFF.total_seconds()
        )
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


def pauses() -> Iterator[float]:
    """Yield seconds to wait for somebody else: a twenty-fifth of the wait so far, 40 to 250 ms.

    Jittered. So nobody waits much more than a twenty-fifth longer than was needed.
    """
    began = time.monotonic()
    while True:
        pause = min(max(0.04, (time.monotonic() - began) / 25), 0.25)
        yield pause * random.uniform(0.75, 1.25)  # noqa: S311


def _failure(grant: Grant, outcome: str, org_id: str | None = None) -> AuditEvent:
    event = _event(grant, AuditAction.GRANT_REFRESH_FAILED, outcome)
    return replace(event, org_id=org_id) if org_id else event


def _event(grant: Grant, action: AuditAction, outcome: str, **detail: int) -> AuditEvent:
    return AuditEvent(
        actor=SYSTEM,
        action=action,
        outcome=outcome,
        org_id=grant.org_id,
        grant_id=grant.id,
        detail={"generation": grant.generation, **detail},
    )
