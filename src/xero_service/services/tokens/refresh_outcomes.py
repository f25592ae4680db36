"""Record the outcome of a refresh attempt: a new set, `invalid_grant`, a failure, or no response.

A set is saved by generation, whichever holder has the lease by now; every other outcome is saved
for its own term (grant, generation, holder), so that it overwrites nothing newer.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from xero_service import failpoints
from xero_service.crypto import KeyRing
from xero_service.domain import (
    CONNECT_AGAIN,
    Grant,
    GrantStatus,
    RefreshLease,
    RefreshPolicy,
    TokenSet,
    Verdict,
)
from xero_service.domain.verdicts import VERDICT_HELD
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
from xero_service.services.tokens.refresh_events import failure_event, success_event
from xero_service.services.tokens.verdicts import Verdicts
from xero_service.store.database import Database
from xero_service.store.grants import SealedTokens
from xero_service.telemetry import Metrics, logger
from xero_service.timeouts import LONGEST_REFRESH_BACKOFF, LONGEST_RETRY_AFTER, SAVE_FOR_SECONDS

EARLY_REFUSAL_RETRY = timedelta(seconds=5)  # another holder's attempt may have ended by then
# Only these prove that Xero did not rotate. Any other failure, such as a 502 or a truncated body,
# may hide a new set: the attempt stays open and is repeated within Xero's grace.
NOT_ROTATED = (XeroUnreachable, RateLimitError, XeroMisconfigured, CiphertextUnreadable)

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class RefreshOutcomes:
    """Saves the outcomes of attempts, with their audit events."""

    database: Database
    keys: KeyRing
    policy: RefreshPolicy
    verdicts: Verdicts
    metrics: Metrics

    async def load_active(self, grant_id: UUID) -> Grant:
        """Return the grant, or the one that superseded it; raises ReauthorizationRequired."""
        async with self.database.background_autocommit() as tx:
            grant = await tx.grants.current(grant_id)
        if grant is None:
            raise ReauthorizationRequired(CONNECT_AGAIN)
        grant.require_active()
        return grant

    async def save_rotated(self, lease: RefreshLease, tokens: TokenSet) -> Grant:
        """Save the new set and return its grant; retry for five minutes if the database fails."""
        failpoints.reached(Place.REFRESH_ANSWERED)
        sealed = seal(self.keys, lease.grant.id, tokens, requested_at=lease.claimed_at)
        deadline = time.monotonic() + SAVE_FOR_SECONDS
        for interval in poll_intervals():
            try:
                async with self.database.background_autocommit() as tx:
                    saved = await tx.grant_refreshes.save_rotated(lease, sealed)
                break
            except Exception:
                # Retried after any error: this may be the only copy of the set.
                if time.monotonic() > deadline:
                    raise
                log.exception("rotated tokens wait for the database", grant_id=lease.grant.id)
                await asyncio.sleep(interval)
        failpoints.reached(Place.REFRESH_SAVED)
        self._count("rotated" if saved else "overtaken")
        if saved is None:
            return await self.load_active(lease.grant.id)
        await self._record_success(lease.grant)
        if saved.status is not GrantStatus.ACTIVE:
            return await self.load_active(saved.id)
        return saved

    async def on_invalid_grant(self, lease: RefreshLease, refusal: InvalidGrant) -> Grant:
        """End the grant and raise ReauthorizationRequired, or return it if it has a newer set.

        Raises ExternalAPIError while another holder's attempt is open, and where the verdict is
        held.
        """
        failpoints.reached(Place.REFRESH_REFUSED)
        verdict, retry_in = await self.verdicts.decide(lease)
        if verdict is Verdict.ENDED:
            self._count("invalid_grant")
            log.warning("xero ended a grant", grant_id=lease.grant.id)
            raise ReauthorizationRequired(CONNECT_AGAIN) from refusal
        if verdict is Verdict.HELD:
            self._count(VERDICT_HELD)
            raise ExternalAPIError(
                "Xero refuses these tokens, and an operator has been asked to look into it.",
                retry_after=ceil(retry_in.total_seconds()),
            ) from refusal
        if newer := await self._load_newer(lease.grant):
            return newer
        self._count("refused_early")
        await self._release_failed(lease, "xero_unavailable", EARLY_REFUSAL_RETRY, answered=True)
        raise ExternalAPIError(
            "Another refresh of these tokens has no answer yet.",
            retry_after=ceil(EARLY_REFUSAL_RETRY.total_seconds()),
        ) from refusal

    async def _load_newer(self, seen: Grant) -> Grant | None:
        with contextlib.suppress(ReauthorizationRequired):
            grant = await self.load_active(seen.id)
            if (grant.id, grant.generation) != (seen.id, seen.generation):
                return grant
        return None

    async def record_failure(self, lease: RefreshLease, error: IntegrationError) -> None:
        """Release the lease with a backoff, which becomes the error's `retry_after`."""
        self._count(error.code)
        retry_in = self._backoff(lease.grant)
        if isinstance(error, RateLimitError) and error.retry_after:
            retry_in = min(timedelta(seconds=error.retry_after), LONGEST_RETRY_AFTER)
        if isinstance(error, XeroMisconfigured):
            self.metrics.alarm("invalid_client")
            log.error("an operator must act", kind="invalid_client", grant_id=lease.grant.id)
        if not isinstance(error, RateLimitError):
            error.retry_after = max(1, ceil(retry_in.total_seconds()))
        await self._release_failed(
            lease, error.code, retry_in, answered=isinstance(error, NOT_ROTATED)
        )

    async def record_timeout(self, lease: RefreshLease) -> ExternalAPIError:
        """Record that no answer came by the deadline; return the error for the waiting callers."""
        retry_in = self._backoff(lease.grant)
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_transaction() as tx:
                is_first = await tx.grant_refreshes.record_no_response(
                    lease, error=ExternalAPIError.code, retry_in=retry_in
                )
                if is_first:
                    await tx.audit.add(failure_event(lease.grant, ExternalAPIError.code))
        self._count("late")
        return ExternalAPIError(
            "Xero is taking too long to refresh the tokens.",
            retry_after=ceil(retry_in.total_seconds()),
        )

    async def release_unsent(self, lease: RefreshLease) -> ServiceBusy:
        """Release a lease too close to its end to send anything; return the error to raise."""
        await self._release_failed(lease, ServiceBusy.code, timedelta(), answered=True)
        return ServiceBusy("The database is slow.")

    async def _release_failed(
        self, lease: RefreshLease, error: str, retry_in: timedelta, *, answered: bool
    ) -> None:
        """Release the lease; if the database is away, the lease expires by itself.

        Only the first failure of an outage is audited, then the refresh that ends it: every grant
        fails twice a minute, and the log is append-only and kept for a year.
        """
        if lease.takes_over or not answered:
            retry_in = min(retry_in, LONGEST_REFRESH_BACKOFF)
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_transaction() as tx:
                is_first = await tx.grant_refreshes.record_failure(
                    lease, error=error, retry_in=retry_in, answered=answered
                )
                if is_first:
                    await tx.audit.add(failure_event(lease.grant, error))

    async def _record_success(self, grant: Grant) -> None:
        """Append to the audit log; a failure is ignored, as the tokens are saved already."""
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_autocommit() as tx:
                await tx.audit.add(success_event(grant))

    def _backoff(self, grant: Grant) -> timedelta:
        return self.policy.backoff(grant.refresh_failures, fraction=random.random())  # noqa: S311

    def _count(self, outcome: str) -> None:
        self.metrics.refreshes.labels(outcome).inc()


def seal(
    keys: KeyRing, grant_id: UUID, tokens: TokenSet, *, requested_at: datetime
) -> SealedTokens:
    """Seal a set for its grant; its lifetime counts from `requested_at`, before it was sent for."""
    return SealedTokens(
        access_token_enc=keys.encrypt_token(tokens.access_token, f"{grant_id}:access_token_enc"),
        refresh_token_enc=keys.encrypt_token(tokens.refresh_token, f"{grant_id}:refresh_token_enc"),
        issued_at=requested_at,
        expires_at=requested_at + tokens.expires_in,
    )


def poll_intervals() -> Iterator[float]:
    """Yield jittered polling intervals: 4% of the wait so far, 40 to 250 ms, in seconds.

    So a wait is about 4% longer than needed.
    """
    began = time.monotonic()
    while True:
        interval = min(max(0.04, (time.monotonic() - began) / 25), 0.25)
        yield interval * random.uniform(0.75, 1.25)  # noqa: S311
