"""The refreshes of grants: claims the lease, saves the rotated token set, records failures.

Each method is one or two statements by the database's clock, so that replicas cannot race. The
lease is the right to spend a grant's refresh token until a time; a term of it is (grant,
generation, holder). A save matches the generation alone, because a holder that was paused past its
lease may have the only valid token; records of failures match all three, so that a late record of
an old term changes nothing in a newer one.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import Grant, GrantStatus, RefreshLease
from xero_service.domain.verdicts import VERDICT_HELD
from xero_service.store.grants import (
    COLUMNS,
    NO_ATTEMPT,
    NO_LEASE,
    NOW,
    SealedTokens,
    to_grant,
)
from xero_service.store.rows import fetch_row
from xero_service.store.tables import GrantRow

# The sender of an attempt that was repeated by another holder: an answer to one of the requests
# does not settle the others. Only a save, or a refusal after the oldest has expired, clears it.
SEVERAL = UUID(int=0)


class GrantRefreshes:
    """The columns of `integration_grants` that a refresh changes: lease, attempt, token set."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def claim_refresh(
        self, seen: Grant, *, holder: UUID, ttl: timedelta, even_revoked: bool = False
    ) -> RefreshLease | None:
        """Claim the lease and open an attempt, if `seen` is current and the lease is free.

        The commit before the request is sent lets any replica finish the attempt after a crash.
        `even_revoked`: a disconnect settles an interrupted attempt before it revokes.
        """
        usable = [GrantStatus.ACTIVE, *([GrantStatus.REVOKED] if even_revoked else [])]
        return await fetch_row(
            self._connection,
            update(GrantRow)
            .where(
                GrantRow.id == seen.id,
                GrantRow.generation == seen.generation,
                GrantRow.status.in_(usable),
                GrantRow.refresh_token_enc.is_not(None),
                _lease_is_free(),
            )
            .values(
                lease_holder=holder,
                lease_until=NOW + ttl,
                refresh_sent_at=func.coalesce(GrantRow.refresh_sent_at, NOW),
                refresh_sent_by=case((GrantRow.refresh_sent_by.is_(None), holder), else_=SEVERAL),
            )
            .returning(*COLUMNS, (GrantRow.refresh_sent_by == SEVERAL).label("takes_over")),
            lambda row: RefreshLease(to_grant(row), holder, row["read_at"], row["takes_over"]),
        )

    async def save_rotated(self, lease: RefreshLease, tokens: SealedTokens) -> Grant | None:
        """Store the next generation's set; None where the lease's generation is not current.

        Matches the generation, not the holder: one that was paused past its lease may have the
        only valid refresh token. A grant that was marked dead meanwhile becomes active again.
        """
        return await fetch_row(
            self._connection,
            update(GrantRow)
            .where(
                GrantRow.id == lease.grant.id,
                GrantRow.generation == lease.grant.generation,
                GrantRow.refresh_token_enc.is_not(None),
            )
            .values(
                access_token_enc=tokens.access_token_enc,
                refresh_token_enc=tokens.refresh_token_enc,
                refresh_token_issued_at=tokens.issued_at,
                expires_at=tokens.expires_at,
                generation=GrantRow.generation + 1,
                status=case(
                    (GrantRow.status == GrantStatus.REFRESH_FAILED, GrantStatus.ACTIVE.value),
                    else_=GrantRow.status,
                ),
                refresh_failures=0,
                refresh_failing_since=None,
                next_refresh_at=None,
                last_error=None,
                verdict_held_at=None,
                **NO_LEASE,
                **NO_ATTEMPT,
                updated_at=NOW,
            )
            .returning(*COLUMNS),
            to_grant,
        )

    async def record_failure(
        self, lease: RefreshLease, *, error: str, retry_in: timedelta, answered: bool
    ) -> bool:
        """Release the lease and set the next retry; return whether it is the first failure.

        "First" means since the last refresh. `answered`: Xero's answer shows that it did not
        rotate, so that this holder's attempt is settled.
        """
        values: dict[str, Any] = {
            "next_refresh_at": NOW + retry_in,
            "last_error": error,
            **NO_LEASE,
            "updated_at": NOW,
        }
        failures = await self._count_failure(lease, values)
        if answered:
            await self._settle_attempt(lease)
        return failures == 1

    async def record_no_response(
        self, lease: RefreshLease, *, error: str, retry_in: timedelta
    ) -> bool:
        """Record that no answer came by the deadline; lease and attempt stay as they are.

        Returns whether this is the grant's first failure since the last refresh.
        """
        values: dict[str, Any] = {
            "next_refresh_at": NOW + retry_in,
            "last_error": error,
            "picked_at": None,
            "updated_at": NOW,
        }
        return await self._count_failure(lease, values) == 1

    async def _count_failure(self, lease: RefreshLease, values: dict[str, Any]) -> int | None:
        """Record a failure; return the number of failures, or None for an old term."""
        failures: int | None = await self._connection.scalar(
            update(GrantRow)
            .where(*_still_held_by(lease))
            .values(
                refresh_failures=GrantRow.refresh_failures + 1,
                refresh_failing_since=func.coalesce(GrantRow.refresh_failing_since, NOW),
                **values,
            )
            .returning(GrantRow.refresh_failures)
        )
        return failures

    async def _settle_attempt(self, lease: RefreshLease) -> None:
        """Close the attempt where this holder's is the only one on this generation."""
        await self._connection.execute(
            update(GrantRow)
            .where(
                GrantRow.id == lease.grant.id,
                GrantRow.generation == lease.grant.generation,
                GrantRow.refresh_sent_by == lease.holder,
            )
            .values(**NO_ATTEMPT)
        )

    async def mark_dead(self, lease: RefreshLease, *, attempt_stays_open: timedelta) -> bool:
        """Mark a grant that Xero refused as dead, unless another attempt may explain the refusal.

        False where the generation has changed, or another holder's attempt on it is still open:
        then a newer set exists or may arrive. A revoked grant stays revoked.
        """
        ended = await self._connection.scalar(
            update(GrantRow)
            .where(
                *_is_final(lease, attempt_stays_open),
                GrantRow.status.in_([GrantStatus.ACTIVE, GrantStatus.REVOKED]),
            )
            .values(
                status=case(
                    (GrantRow.status == GrantStatus.ACTIVE, GrantStatus.REFRESH_FAILED.value),
                    else_=GrantRow.status,
                ),
                last_error="invalid_grant",
                next_refresh_at=None,
                verdict_held_at=None,
                **NO_LEASE,
                **NO_ATTEMPT,
                updated_at=NOW,
            )
            .returning(GrantRow.id)
        )
        return ended is not None

    async def hold_verdict(
        self, lease: RefreshLease, *, attempt_stays_open: timedelta, retry_in: timedelta
    ) -> bool:
        """Keep a grant that Xero refused active, where `mark_dead` would end it.

        Releases the lease and sets the next try. A held verdict is no failure that anybody is
        warned of, so its time does not count as failing.
        """
        held = await self._connection.scalar(
            update(GrantRow)
            .where(
                *_is_final(lease, attempt_stays_open),
                GrantRow.status == GrantStatus.ACTIVE,
            )
            .values(
                verdict_held_at=func.coalesce(GrantRow.verdict_held_at, NOW),
                last_error=VERDICT_HELD,
                refresh_failures=GrantRow.refresh_failures + 1,
                next_refresh_at=NOW + retry_in,
                **NO_LEASE,
                **NO_ATTEMPT,
                updated_at=NOW,
            )
            .returning(GrantRow.id)
        )
        return held is not None

    async def try_held_again(self, *, limit: int) -> int:
        """Clear the backoff of up to `limit` grants whose verdict is held; return how many.

        `UpkeepQueue` says why it locks as it does.
        """
        some = (
            select(GrantRow.id)
            .where(GrantRow.verdict_held_at.is_not(None), GrantRow.next_refresh_at.is_not(None))
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
            .cte("some")
        )
        found = await self._connection.execute(
            update(GrantRow).where(GrantRow.id == some.c.id).values(next_refresh_at=None)
        )
        return found.rowcount

    async def acquire_lease(self, grant_id: UUID, *, holder: UUID, ttl: timedelta) -> Grant | None:
        """Acquire a grant's lease without an attempt to refresh; None where it is held."""
        return await fetch_row(
            self._connection,
            update(GrantRow)
            .where(GrantRow.id == grant_id, _lease_is_free())
            .values(lease_holder=holder, lease_until=NOW + ttl)
            .returning(*COLUMNS),
            to_grant,
        )

    async def release_lease(self, grant_id: UUID, *, holder: UUID) -> None:
        """Release a lease that `acquire_lease` returned; another holder's stays."""
        await self._connection.execute(
            update(GrantRow)
            .where(GrantRow.id == grant_id, GrantRow.lease_holder == holder)
            .values(**NO_LEASE)
        )


def _lease_is_free() -> Any:
    return or_(GrantRow.lease_until.is_(None), GrantRow.lease_until < NOW)


def _is_final(lease: RefreshLease, attempt_stays_open: timedelta) -> tuple[Any, ...]:
    """Whether Xero's refusal is about the newest set: no other attempt may bring a newer one."""
    return (
        *_still_held_by(lease),
        or_(
            GrantRow.refresh_sent_by.is_(None),
            GrantRow.refresh_sent_by == lease.holder,
            GrantRow.refresh_sent_at < NOW - attempt_stays_open,
        ),
    )


def _still_held_by(lease: RefreshLease) -> tuple[Any, ...]:
    return (
        GrantRow.id == lease.grant.id,
        GrantRow.generation == lease.grant.generation,
        GrantRow.lease_holder == lease.holder,
    )
