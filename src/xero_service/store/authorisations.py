"""The consents: which user of an org consented, when, and which tenants the consent reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import (
    PROVIDER,
    Authorisation,
    BindingStatus,
    Grant,
    GrantStatus,
    PendingConsent,
)
from xero_service.store.grants import COLUMNS as GRANT_COLUMNS
from xero_service.store.grants import NOW, to_grant
from xero_service.store.rows import AnyRow, fetch_row
from xero_service.store.tables import AuthorisationRow, BindingRow, GrantRow

_COLUMNS = (
    AuthorisationRow.id,
    AuthorisationRow.grant_id,
    AuthorisationRow.clerk_org_id,
    AuthorisationRow.clerk_user_id,
    AuthorisationRow.authentication_event_id,
    AuthorisationRow.tenant_ids,
    AuthorisationRow.matched_event,
    AuthorisationRow.first_selected_at,
)


@dataclass(frozen=True, slots=True)
class NewAuthorisation:
    """A consent to insert; the Xero user's name and e-mail are sealed."""

    id: UUID
    grant_id: UUID
    org_id: str
    user_id: str
    event_id: str | None
    consenter_enc: str | None
    exchanged_at: datetime
    issued_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewestExchange:
    """The live grant of a Xero user and its last exchange: when sent, and when Xero issued it."""

    grant_id: UUID
    sent_at: datetime
    issued_at: datetime | None

    def comes_after(self, sent_at: datetime, issued_at: datetime | None) -> bool:
        """Return whether this exchange's set is newer than that of another exchange.

        Exchanges run one at a time, so the order of sending is the order of the sets. It is not
        where a replica was paused past its lease: then the later time of Xero's clock counts.
        """
        if self.sent_at <= sent_at:
            return False
        return self.issued_at is None or issued_at is None or issued_at <= self.issued_at


@dataclass(frozen=True, slots=True)
class SealedConsenter:
    """The last consent of an org for a grant; the Xero user's name and e-mail are sealed."""

    authorisation_id: UUID
    grant_id: UUID
    user_id: str
    consenter_enc: str | None


def _to_authorisation(row: AnyRow) -> Authorisation:
    return Authorisation(
        id=row.id,
        grant_id=row.grant_id,
        org_id=row.clerk_org_id,
        user_id=row.clerk_user_id,
        event_id=row.authentication_event_id,
        tenant_ids=None if row.tenant_ids is None else tuple(row.tenant_ids),
        matched_event=row.matched_event,
        used=row.first_selected_at is not None,
    )


class Authorisations:
    """The table `grant_authorisations`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction."""
        self._connection = connection

    async def add(self, new: NewAuthorisation) -> None:
        """Insert a consent; `exchanged_at` is the database's time before its code was sent."""
        await self._connection.execute(
            insert(AuthorisationRow).values(
                id=new.id,
                grant_id=new.grant_id,
                clerk_org_id=new.org_id,
                clerk_user_id=new.user_id,
                authentication_event_id=new.event_id,
                consenter_enc=new.consenter_enc,
                created_at=new.exchanged_at,
                issued_at=new.issued_at,
            )
        )

    async def grant_of(self, authorisation_id: UUID) -> Grant | None:
        """Return the grant that a consent leads to; None where the consent is not stored."""
        return await fetch_row(
            self._connection,
            select(*GRANT_COLUMNS)
            .join(AuthorisationRow, AuthorisationRow.grant_id == GrantRow.id)
            .where(AuthorisationRow.id == authorisation_id),
            to_grant,
        )

    async def newest_exchange(self, xero_user_id: str) -> NewestExchange | None:
        """Return the live grant of a Xero user and when the newest code for it was exchanged."""
        row = (
            await self._connection.execute(
                select(
                    GrantRow.id,
                    func.max(AuthorisationRow.created_at).label("sent_at"),
                    func.max(AuthorisationRow.issued_at).label("issued_at"),
                )
                .join(AuthorisationRow, AuthorisationRow.grant_id == GrantRow.id)
                .where(GrantRow.xero_user_id == xero_user_id, GrantRow.superseded_by.is_(None))
                .group_by(GrantRow.id)
                .order_by(func.max(AuthorisationRow.created_at).desc())
                .limit(1)
            )
        ).one_or_none()
        return NewestExchange(row.id, row.sent_at, row.issued_at) if row else None

    async def awaits_selection(self, grant_id: UUID, *, other_than: str) -> bool:
        """Return whether another org consented within a day and has not chosen a tenant yet."""
        found = await self._connection.scalar(
            select(AuthorisationRow.id)
            .where(
                AuthorisationRow.grant_id == grant_id,
                AuthorisationRow.clerk_org_id != other_than,
                AuthorisationRow.first_selected_at.is_(None),
                AuthorisationRow.created_at > NOW - timedelta(hours=24),
            )
            .limit(1)
        )
        return found is not None

    async def carry_over(self, superseded: Sequence[UUID], grant_id: UUID) -> None:
        """Move the consents of superseded grants to the grant that replaced them."""
        await self._connection.execute(
            update(AuthorisationRow)
            .where(AuthorisationRow.grant_id.in_(superseded))
            .values(grant_id=grant_id)
        )

    async def of_org(self, grant_id: UUID, org_id: str) -> tuple[Authorisation, ...]:
        """Return an org's own consents for a grant, newest first."""
        rows = await self._connection.execute(
            select(*_COLUMNS)
            .where(AuthorisationRow.grant_id == grant_id, AuthorisationRow.clerk_org_id == org_id)
            .order_by(AuthorisationRow.created_at.desc())
        )
        return tuple(_to_authorisation(row) for row in rows)

    async def unread(self, grant_id: UUID) -> tuple[Authorisation, ...]:
        """Return the consents of all orgs whose reach was not read from Xero yet."""
        rows = await self._connection.execute(
            select(*_COLUMNS).where(
                AuthorisationRow.grant_id == grant_id, AuthorisationRow.tenant_ids.is_(None)
            )
        )
        return tuple(_to_authorisation(row) for row in rows)

    async def record_reach(
        self, authorisation_id: UUID, *, tenant_ids: Sequence[str], matched_event: bool
    ) -> None:
        """Store which tenants a consent reached, unless that was stored before."""
        await self._connection.execute(
            update(AuthorisationRow)
            .where(AuthorisationRow.id == authorisation_id, AuthorisationRow.tenant_ids.is_(None))
            .values(tenant_ids=list(tenant_ids), matched_event=matched_event)
        )

    async def forget_tenant(self, xero_user_id: str, tenant_id: str) -> None:
        """Remove a disconnected tenant from the reach of all consents of a Xero user.

        A user who connects it again consents anew; an earlier consent must not count again.
        """
        grants = select(GrantRow.id).where(GrantRow.xero_user_id == xero_user_id)
        await self._connection.execute(
            update(AuthorisationRow)
            .where(
                AuthorisationRow.grant_id.in_(grants),
                AuthorisationRow.tenant_ids.contains([tenant_id]),
            )
            .values(tenant_ids=func.array_remove(AuthorisationRow.tenant_ids, tenant_id))
        )

    async def forget_all(self, grant_id: UUID) -> None:
        """Empty the reach of all consents of a revoked grant."""
        await self._connection.execute(
            update(AuthorisationRow)
            .where(AuthorisationRow.grant_id == grant_id)
            .values(tenant_ids=[])
        )

    async def note_selection(self, grant_id: UUID, org_id: str, user_id: str) -> None:
        """Record the first selection, after which the org's other admins may use the consent."""
        await self._connection.execute(
            update(AuthorisationRow)
            .where(
                AuthorisationRow.grant_id == grant_id,
                AuthorisationRow.clerk_org_id == org_id,
                AuthorisationRow.clerk_user_id == user_id,
                AuthorisationRow.first_selected_at.is_(None),
            )
            .values(first_selected_at=NOW)
        )

    async def pending(self, org_id: str, user_id: str) -> PendingConsent | None:
        """Return a user's newest consent in an org from which a tenant is still to be chosen.

        It leads to an active grant, its user has chosen nothing since, and it reached a tenant
        that no org has bound, or its reach was not read from Xero yet.
        """
        reached = (
            func.unnest(AuthorisationRow.tenant_ids)
            .table_valued("tenant_id")
            .render_derived(name="reached")
        )
        bound = select(BindingRow.id).where(
            BindingRow.provider == PROVIDER,
            BindingRow.external_tenant_id == reached.c.tenant_id,
            BindingRow.status != BindingStatus.REVOKED,
        )
        left: Select[*tuple[Any, ...]] = (
            select(literal_column("1")).select_from(reached).where(~bound.exists())
        )
        row = (
            await self._connection.execute(
                select(AuthorisationRow.grant_id, AuthorisationRow.created_at)
                .join(GrantRow, GrantRow.id == AuthorisationRow.grant_id)
                .where(
                    AuthorisationRow.clerk_org_id == org_id,
                    AuthorisationRow.clerk_user_id == user_id,
                    AuthorisationRow.first_selected_at.is_(None),
                    GrantRow.status == GrantStatus.ACTIVE,
                    or_(AuthorisationRow.tenant_ids.is_(None), left.exists()),
                )
                .order_by(AuthorisationRow.created_at.desc())
                .limit(1)
            )
        ).one_or_none()
        return PendingConsent(row.grant_id, row.created_at) if row else None

    async def newest_of(self, xero_user_id: str, org_id: str) -> SealedConsenter | None:
        """Return the newest consent of a Xero user in this org, whatever it led to since."""
        row = (
            await self._connection.execute(
                select(
                    AuthorisationRow.id,
                    AuthorisationRow.grant_id,
                    AuthorisationRow.clerk_user_id,
                    AuthorisationRow.consenter_enc,
                )
                .join(GrantRow, GrantRow.id == AuthorisationRow.grant_id)
                .where(
                    GrantRow.xero_user_id == xero_user_id, AuthorisationRow.clerk_org_id == org_id
                )
                .order_by(AuthorisationRow.created_at.desc())
                .limit(1)
            )
        ).one_or_none()
        return SealedConsenter(*row) if row else None

    async def consenters(
        self, grant_ids: Sequence[UUID], org_id: str
    ) -> dict[UUID, SealedConsenter]:
        """Return, by grant, the last user of this org who consented."""
        rows = await self._connection.execute(
            select(
                AuthorisationRow.id,
                AuthorisationRow.grant_id,
                AuthorisationRow.clerk_user_id,
                AuthorisationRow.consenter_enc,
            )
            .where(
                AuthorisationRow.grant_id.in_(grant_ids), AuthorisationRow.clerk_org_id == org_id
            )
            .ext(distinct_on(AuthorisationRow.grant_id))
            .order_by(AuthorisationRow.grant_id, AuthorisationRow.created_at.desc())
        )
        return {
            row.grant_id: SealedConsenter(
                row.id, row.grant_id, row.clerk_user_id, row.consenter_enc
            )
            for row in rows
        }
