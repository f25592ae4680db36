"""Finds and claims the grants that upkeep must refresh, check or disconnect."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import GrantStatus, RefreshPolicy
from xero_service.store.grants import NOW
from xero_service.store.tables import (
    AuthorisationRow,
    BindingRow,
    DatabaseMarkRow,
    GrantRow,
    VerdictHoldRow,
)


class UpkeepQueue:
    """Queries for due grants; `claim_` methods give each grant to one replica (SKIP LOCKED).

    They lock in a common table expression, which PostgreSQL evaluates once. A subquery in `IN` may
    be evaluated for each row, and then claims more than `limit`. They lock FOR NO KEY UPDATE: FOR
    UPDATE would skip each grant to which a row of a transaction under way refers.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def unused_grants(self, *, for_at_least: timedelta, limit: int) -> list[UUID]:
        """Return active and dead grants on which no binding has rested for `for_at_least`.

        None while verdicts are held: after a restore a binding may be among what was lost.
        """
        held = select(VerdictHoldRow.provider).where(VerdictHoldRow.held_since.is_not(None))
        rests = select(BindingRow.id).where(
            BindingRow.active_grant_id == GrantRow.id, BindingRow.status != "revoked"
        )
        left = (
            select(func.max(BindingRow.updated_at))
            .where(BindingRow.active_grant_id == GrantRow.id)
            .scalar_subquery()
        )
        rows = await self._connection.scalars(
            select(GrantRow.id)
            .where(
                GrantRow.status != GrantStatus.REVOKED,
                ~rests.exists(),
                ~held.exists(),
                func.greatest(GrantRow.updated_at, left) < NOW - for_at_least,
            )
            .limit(limit)
        )
        return list(rows)

    async def claim_due_refreshes(
        self,
        policy: RefreshPolicy,
        *,
        ahead: timedelta,
        used_within: timedelta,
        limit: int,
        hidden_for: timedelta,
    ) -> list[tuple[UUID, int]]:
        """Claim active grants to refresh for `hidden_for`, with the generation that is due.

        A grant is due if its refresh token is old, if an attempt was interrupted, if its verdict is
        held, if the database went back since its refresh token was issued, or if it is used and
        expires within `ahead` of the margin. The last is random, with a probability that rises
        towards the margin, so that grants that expire together are spread out.
        """
        used = and_(
            GrantRow.last_used_at > NOW - used_within,
            policy.is_inside_margin(GrantRow.expires_at, now=NOW + ahead),
            policy.is_inside_margin(GrantRow.expires_at, now=NOW + ahead * func.random()),
        )
        went_back = select(DatabaseMarkRow.renew_issued_before).scalar_subquery()
        due = (
            select(GrantRow.id)
            .where(
                GrantRow.status == GrantStatus.ACTIVE,
                or_(
                    policy.is_old(GrantRow.refresh_token_issued_at, now=NOW),
                    GrantRow.refresh_sent_at.is_not(None),
                    GrantRow.verdict_held_at.is_not(None),
                    GrantRow.refresh_token_issued_at < went_back,
                    used,
                ),
                or_(GrantRow.picked_at.is_(None), GrantRow.picked_at < NOW - hidden_for),
                or_(GrantRow.lease_until.is_(None), GrantRow.lease_until < NOW),
                or_(GrantRow.next_refresh_at.is_(None), GrantRow.next_refresh_at < NOW),
            )
            .order_by(GrantRow.refresh_token_issued_at)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
            .cte("due")
        )
        rows = await self._connection.execute(
            update(GrantRow)
            .where(GrantRow.id == due.c.id)
            .values(picked_at=NOW)
            .returning(GrantRow.id, GrantRow.generation)
        )
        return [(row.id, row.generation) for row in rows]

    async def claim_unchecked_grants(
        self, *, since: timedelta, again_after: timedelta, limit: int
    ) -> list[UUID]:
        """Claim active grants with a binding that was not checked with Xero for `since`.

        A check that fails is due again `again_after` its claim, on the next 403, or as soon as the
        binding changes; `last_checked_at` is the time of the last one that succeeded.
        """
        due = (
            select(GrantRow.id)
            .where(
                GrantRow.status == GrantStatus.ACTIVE,
                select(BindingRow.id)
                .where(
                    BindingRow.active_grant_id == GrantRow.id,
                    BindingRow.status != "revoked",
                    or_(
                        BindingRow.last_checked_at.is_(None),
                        BindingRow.last_checked_at < NOW - since,
                    ),
                    or_(
                        GrantRow.check_claimed_at.is_(None),
                        GrantRow.check_claimed_at
                        < func.greatest(NOW - again_after, BindingRow.updated_at),
                    ),
                )
                .exists(),
            )
            .order_by(GrantRow.check_claimed_at.nulls_first())
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
            .cte("due")
        )
        rows = await self._connection.scalars(
            update(GrantRow)
            .where(GrantRow.id == due.c.id)
            .values(check_claimed_at=NOW)
            .returning(GrantRow.id)
        )
        return list(rows)

    async def unread_grants(self, *, limit: int) -> list[UUID]:
        """Return active grants with a consent of unknown reach, a minute after the consent."""
        rows = await self._connection.scalars(
            select(GrantRow.id)
            .join(AuthorisationRow, AuthorisationRow.grant_id == GrantRow.id)
            .where(
                GrantRow.status == GrantStatus.ACTIVE,
                AuthorisationRow.tenant_ids.is_(None),
                AuthorisationRow.created_at < NOW - timedelta(seconds=60),
            )
            .group_by(GrantRow.id)
            .order_by(func.max(AuthorisationRow.created_at).desc())
            .limit(limit)
        )
        return list(rows)
