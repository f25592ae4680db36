"""The grants table: reads grants, replaces them by the grant of a newer consent, revokes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import PROVIDER, Grant, GrantStatus
from xero_service.store.rows import Fields, fetch_row
from xero_service.store.tables import GrantRow

NOW = func.clock_timestamp()
READ_AT = NOW.label("read_at")
NO_LEASE: dict[str, Any] = {"lease_holder": None, "lease_until": None, "picked_at": None}
NO_ATTEMPT: dict[str, Any] = {"refresh_sent_at": None, "refresh_sent_by": None}
COLUMNS = (
    GrantRow.id,
    GrantRow.clerk_org_id,
    GrantRow.xero_user_id,
    GrantRow.status,
    GrantRow.generation,
    GrantRow.scopes,
    GrantRow.access_token_enc,
    GrantRow.refresh_token_enc,
    GrantRow.refresh_token_issued_at,
    GrantRow.expires_at,
    GrantRow.lease_until,
    GrantRow.refresh_sent_at,
    GrantRow.refresh_failures,
    GrantRow.next_refresh_at,
    GrantRow.last_error,
    GrantRow.verdict_held_at,
    READ_AT,
)


@dataclass(frozen=True, slots=True)
class SealedTokens:
    """A token set as it is stored, with the times that go with it."""

    access_token_enc: str = field(repr=False)
    refresh_token_enc: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant to insert: one Xero user's token set, authorised by a user of an org."""

    id: UUID
    org_id: str
    user_id: str
    xero_user_id: str
    scopes: Sequence[str]
    tokens: SealedTokens


def to_grant(row: Fields) -> Grant:
    """Return the grant in a row that has `COLUMNS`, whichever driver read it."""
    return Grant(
        id=row["id"],
        org_id=row["clerk_org_id"],
        xero_user_id=row["xero_user_id"],
        status=GrantStatus(row["status"]),
        generation=row["generation"],
        scopes=tuple(row["scopes"]),
        access_token_enc=row["access_token_enc"],
        refresh_token_enc=row["refresh_token_enc"],
        refresh_token_issued_at=row["refresh_token_issued_at"],
        expires_at=row["expires_at"],
        lease_until=row["lease_until"],
        refresh_sent_at=row["refresh_sent_at"],
        refresh_failures=row["refresh_failures"],
        next_refresh_at=row["next_refresh_at"],
        last_error=row["last_error"],
        verdict_held_at=row["verdict_held_at"],
        read_at=row["read_at"],
    )


class Grants:
    """The table `integration_grants`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def get(self, grant_id: UUID) -> Grant | None:
        """Return a grant as it is stored now."""
        return await fetch_row(
            self._connection, select(*COLUMNS).where(GrantRow.id == grant_id), to_grant
        )

    async def lock(self, grant_id: UUID) -> Grant | None:
        """Return a grant, locked until the transaction ends."""
        return await fetch_row(
            self._connection,
            select(*COLUMNS).where(GrantRow.id == grant_id).with_for_update(),
            to_grant,
        )

    async def current(self, grant_id: UUID) -> Grant | None:
        """Read a grant, or the one that superseded it."""
        successor = select(func.coalesce(GrantRow.superseded_by, GrantRow.id)).where(
            GrantRow.id == grant_id
        )
        return await fetch_row(
            self._connection,
            select(*COLUMNS).where(GrantRow.id == successor.scalar_subquery()),
            to_grant,
        )

    async def touch(self, grant_id: UUID) -> None:
        """Record that the grant is in use, at most once a minute."""
        await self._connection.execute(
            update(GrantRow)
            .where(
                GrantRow.id == grant_id,
                or_(
                    GrantRow.last_used_at.is_(None),
                    GrantRow.last_used_at < NOW - timedelta(minutes=1),
                ),
            )
            .values(last_used_at=NOW)
        )

    async def doubt(self, grant_id: UUID, *, generation: int, every: timedelta) -> bool:
        """Record that Xero refused a live token of this generation; return whether to refresh it.

        One generation is doubted at most once in `every`, over all replicas. True for every caller
        of the generation that is doubted now, and of one that has been replaced.
        """
        claimed = await self._connection.scalar(
            update(GrantRow)
            .where(
                GrantRow.id == grant_id,
                GrantRow.generation == generation,
                or_(GrantRow.doubted_at.is_(None), GrantRow.doubted_at < NOW - every),
            )
            .values(doubted_at=NOW, doubted_generation=generation)
            .returning(GrantRow.id)
        )
        if claimed is not None:
            return True
        found = await self._connection.scalar(
            select(GrantRow.id).where(
                GrantRow.id == grant_id,
                or_(GrantRow.generation != generation, GrantRow.doubted_generation == generation),
            )
        )
        return found is not None

    async def claim_check(self, grant_id: UUID, *, every: timedelta) -> bool:
        """Claim the check of an active grant with Xero; False where one was claimed in `every`."""
        claimed = await self._connection.scalar(
            update(GrantRow)
            .where(
                GrantRow.id == grant_id,
                GrantRow.status == GrantStatus.ACTIVE,
                or_(GrantRow.check_claimed_at.is_(None), GrantRow.check_claimed_at < NOW - every),
            )
            .values(check_claimed_at=NOW)
            .returning(GrantRow.id)
        )
        return claimed is not None

    async def lock_xero_user(self, xero_user_id: str) -> None:
        """Serialize, until the transaction ends, the choice of a Xero user's live grant."""
        await self._connection.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended(xero_user_id, 0)))
        )

    async def supersede(self, new: NewGrant) -> tuple[tuple[UUID, str], ...]:
        """Insert `new` and supersede every earlier grant of its Xero user.

        Erases their tokens, makes their ids lead to the new grant and carries the time of their
        last use over; the caller moves their bindings. Returns the ids and orgs of the grants that
        were not superseded before.
        """
        old = select(GrantRow.id).where(
            GrantRow.provider == PROVIDER, GrantRow.xero_user_id == new.xero_user_id
        )
        rows = (
            await self._connection.execute(
                select(
                    GrantRow.id,
                    GrantRow.clerk_org_id,
                    GrantRow.generation,
                    GrantRow.superseded_by,
                    GrantRow.last_used_at,
                )
                .where(GrantRow.id.in_(old))
                .with_for_update()
            )
        ).all()
        await self._connection.execute(
            update(GrantRow)
            .where(GrantRow.xero_user_id == new.xero_user_id, GrantRow.provider == PROVIDER)
            .values(
                status=GrantStatus.REVOKED,
                access_token_enc=None,
                refresh_token_enc=None,
                next_refresh_at=None,
                **NO_LEASE,
                **NO_ATTEMPT,
                updated_at=NOW,
            )
        )
        await self._connection.execute(
            insert(GrantRow).values(
                id=new.id,
                authorised_by_clerk_user_id=new.user_id,
                clerk_org_id=new.org_id,
                provider=PROVIDER,
                access_token_enc=new.tokens.access_token_enc,
                refresh_token_enc=new.tokens.refresh_token_enc,
                refresh_token_issued_at=new.tokens.issued_at,
                expires_at=new.tokens.expires_at,
                status=GrantStatus.ACTIVE,
                xero_user_id=new.xero_user_id,
                scopes=list(new.scopes),
                generation=max((row.generation for row in rows), default=0) + 1,
                last_used_at=max(
                    (row.last_used_at for row in rows if row.last_used_at), default=None
                ),
            )
        )
        ids = tuple(row.id for row in rows)
        await self._connection.execute(
            update(GrantRow).where(GrantRow.id.in_(ids)).values(superseded_by=new.id)
        )
        return tuple((row.id, row.clerk_org_id) for row in rows if row.superseded_by is None)

    async def revoke(self, grant_id: UUID) -> None:
        """Revoke a grant here; its tokens stay until Xero has confirmed the revocation."""
        await self._connection.execute(
            update(GrantRow)
            .where(GrantRow.id == grant_id)
            .values(status=GrantStatus.REVOKED, next_refresh_at=None, updated_at=NOW)
        )

    async def erase_tokens(self, grant_id: UUID) -> None:
        """Erase the tokens of a revoked grant."""
        await self._connection.execute(
            update(GrantRow)
            .where(GrantRow.id == grant_id, GrantRow.status == GrantStatus.REVOKED)
            .values(
                access_token_enc=None,
                refresh_token_enc=None,
                **NO_LEASE,
                **NO_ATTEMPT,
                updated_at=NOW,
            )
        )

    async def all(self, *, org_id: str | None) -> tuple[Grant, ...]:
        """Return the grants that are not superseded, of one org or of all: for operators."""
        rows = await self._connection.execute(
            select(*COLUMNS)
            .where(
                GrantRow.superseded_by.is_(None),
                *([GrantRow.clerk_org_id == org_id] if org_id is not None else []),
            )
            .order_by(GrantRow.created_at)
        )
        return tuple(to_grant(row) for row in rows.mappings())

    async def forget_backoff(self, grant_id: UUID) -> bool:
        """Clear the backoff, so that the next refresh is sent at once; False for an unknown grant.

        A dead grant that still has its tokens becomes active again: Xero may have refused it
        because the service ran with another app's credentials.
        """
        found = await self._connection.scalar(
            update(GrantRow)
            .where(
                GrantRow.id == grant_id,
                GrantRow.status != GrantStatus.REVOKED,
                GrantRow.refresh_token_enc.is_not(None),
            )
            .values(next_refresh_at=None, status=GrantStatus.ACTIVE)
            .returning(GrantRow.id)
        )
        return found is not None
