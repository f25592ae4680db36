"""List the tenants that an org's own consents reached, and bind one of them to the org."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from xero_service import failpoints
from xero_service.domain import (
    ORGANISATION,
    Actor,
    AuditAction,
    AuditEvent,
    Authorisation,
    Availability,
    Binding,
    BindingStatus,
    Connection,
    Connections,
    Grant,
    GrantStatus,
    SessionUser,
)
from xero_service.errors import (
    NotFound,
    OrgRequired,
    TenantBoundElsewhere,
    TenantNotAccessible,
)
from xero_service.failpoints import Place
from xero_service.services.bindings import BindingsService, BindingView, read_record
from xero_service.services.leases import LeaseManager
from xero_service.services.reconcile.consent_reach import record_reach
from xero_service.services.reconcile.service import ReconcileService
from xero_service.services.tokens.service import TokenService
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction
from xero_service.telemetry.request_record import note_binding
from xero_service.timeouts import SELECTION_LEASE_WAIT_SECONDS


@dataclass(frozen=True, slots=True)
class TenantChoice:
    """A tenant that this session user may see, and what the org can do with it."""

    connection: Connection
    just_authorised: bool
    availability: Availability
    binding_id: UUID | None


@dataclass(frozen=True, slots=True)
class TenantOptions:
    """The tenants of a grant; `grant_id`: its successor, if it was superseded."""

    grant_id: UUID
    tenants: tuple[TenantChoice, ...]


@dataclass(frozen=True, slots=True)
class SelectedTenant:
    """The binding of a selected tenant, and whether it is new."""

    view: BindingView
    created: bool


@dataclass(frozen=True, slots=True)
class _Visibility:
    """The connections of a grant that one session user of an org may see."""

    grant: Grant
    tenant_ids: frozenset[str]  # bound here, or offered to this user with any event
    marked: frozenset[str]  # offered only with one of the org's own events
    events: frozenset[str]
    newest_event: str | None

    def shows(self, connection: Connection) -> bool:
        """Return whether the org's own consents reached a connection.

        A connection deleted at Xero and linked again belongs to the consent that linked it.
        """
        if connection.tenant_type != ORGANISATION:
            return False
        own = connection.auth_event_id is None or connection.auth_event_id in self.events
        tenant_id = connection.tenant_id
        return tenant_id in self.tenant_ids or (tenant_id in self.marked and own)


@dataclass(frozen=True, slots=True)
class TenantsService:
    """Lists and selects tenants, within what the org's own consents reached (design: rule 2)."""

    database: Database
    tokens: TokenService
    reconcile: ReconcileService
    leases: LeaseManager
    bindings: BindingsService

    async def choices(self, user: SessionUser, grant_id: UUID) -> TenantOptions:
        """Fetch the grant's tenants from Xero; return those that the org's own consents reached.

        Raises OrgRequired, NotFound, ReauthorizationRequired or ExternalAPIError.
        """
        org_id = _require_org(user)
        grant, connections = await self._fetch_connections(user, grant_id)
        async with self.database.transaction() as tx:
            visibility = await self._visibility(tx, user, grant.id)
            seen = _visible_connections(visibility, connections)
            holders = await tx.bindings.holders({c.tenant_id for c in seen})
        return TenantOptions(
            grant.id,
            tuple(_choice(c, visibility, holders.get(c.tenant_id), org_id) for c in seen),
        )

    async def select(
        self, user: SessionUser, actor: Actor, grant_id: UUID, tenant_id: str
    ) -> SelectedTenant:
        """Bind a tenant that the grant reaches at this moment to the org.

        Raises OrgRequired, NotFound, TenantNotAccessible, TenantBoundElsewhere,
        ReauthorizationRequired or ExternalAPIError.
        """
        org_id = _require_org(user)
        while True:
            grant, connections = await self._fetch_connections(user, grant_id, wanted=tenant_id)
            record = None
            async with self.database.transaction() as tx:
                locked = await tx.grants.lock(grant.id)
                usable = locked is not None and locked.status is GrantStatus.ACTIVE
                if usable and not await tx.cleanups.has_pending_deletion(
                    grant.xero_user_id, tenant_id
                ):
                    visibility = await self._visibility(tx, user, grant.id)
                    connection = _require_visible(visibility, connections, tenant_id)
                    binding_id, created = await self._bind(tx, org_id, grant.id, connection)
                    note_binding(binding_id)
                    await tx.authorisations.note_selection(grant.id, org_id, user.user_id)
                    event = _selection_event(
                        actor, org_id, grant.id, connection, binding_id, created
                    )
                    await tx.audit.add(event)
                    record = await read_record(tx, binding_id, org_id)
            if record is not None:
                failpoints.reached(Place.BINDING_COMMITTED)
                return SelectedTenant(self.bindings.view(record), created)
            # The grant was superseded, revoked or ended meanwhile, or a disconnect of this tenant
            # is pending: fetch again.

    async def _bind(
        self, tx: Transaction, org_id: str, grant_id: UUID, connection: Connection
    ) -> tuple[UUID, bool]:
        """Return the binding's id and whether it is new; of two orgs at once one wins (R20)."""
        while True:
            holder = await tx.bindings.lock_tenant(connection.tenant_id)
            if holder is not None and holder.org_id == org_id:
                await tx.bindings.repoint(holder.id, grant_id, connection)
                return holder.id, False
            if holder is not None and holder.status is not BindingStatus.REVOKED:
                raise TenantBoundElsewhere(
                    "This Xero organisation is connected elsewhere. Disconnect it there first."
                )
            if holder is not None:
                await tx.bindings.delete(holder.id)
            new = uuid4()
            if await tx.bindings.create(new, org_id, grant_id, connection):
                return new, True

    async def _fetch_connections(
        self, user: SessionUser, grant_id: UUID, *, wanted: str | None = None
    ) -> tuple[Grant, Connections]:
        """Return a grant that the user may see, with its connections as Xero lists them now."""
        async with self.database.transaction() as tx:
            grant = (await self._visibility(tx, user, grant_id)).grant
            deletion_pending = wanted and await tx.cleanups.has_pending_deletion(
                grant.xero_user_id, wanted
            )
        grant.require_active()
        if wanted and deletion_pending:
            # A pending disconnect of this tenant must not delete the connection later.
            async with (
                self.leases.grant_lease(grant.id, max_wait=SELECTION_LEASE_WAIT_SECONDS),
                self.database.transaction() as tx,
            ):
                await tx.cleanups.cancel_deletions(grant.xero_user_id, [wanted])
        grant = await self.tokens.refresh_if_due(grant)
        grant, connections = await self.reconcile.fetch_connections(grant)
        async with self.database.transaction() as tx:
            await record_reach(tx, grant, connections)
        return grant, connections

    async def _visibility(self, tx: Transaction, user: SessionUser, grant_id: UUID) -> _Visibility:
        """Return what the user may see of a grant; raises NotFound where that is nothing."""
        org_id = _require_org(user)
        grant = await tx.grants.current(grant_id)
        if grant is None:
            raise NotFound
        consents = await tx.authorisations.of_org(grant.id, org_id)
        bound = {b.tenant_id for b in await tx.bindings.of_org_on(grant.id, org_id)}
        usable = [a for a in consents if _is_open_to(a, user.user_id)]
        if not usable and not bound:
            raise NotFound
        offers = [(a, a.offers_to(user.user_id)) for a in usable]
        none = frozenset[str]()
        return _Visibility(
            grant,
            tenant_ids=none.union(bound, *(ids for a, ids in offers if not a.matched_event)),
            marked=none.union(*(ids for a, ids in offers if a.matched_event)),
            events=frozenset(a.event_id for a in consents if a.event_id is not None),
            newest_event=usable[0].event_id if usable else None,
        )


def _require_org(user: SessionUser) -> str:
    if user.org_id is None:
        raise OrgRequired
    return user.org_id


def _is_open_to(consent: Authorisation, user_id: str) -> bool:
    return consent.user_id == user_id or (consent.matched_event and consent.used)


def _visible_connections(visibility: _Visibility, connections: Connections) -> list[Connection]:
    return sorted(
        filter(visibility.shows, connections),
        key=lambda c: (c.tenant_name.casefold(), c.tenant_id),
    )


def _require_visible(
    visibility: _Visibility, connections: Connections, tenant_id: str
) -> Connection:
    for connection in _visible_connections(visibility, connections):
        if connection.tenant_id == tenant_id:
            return connection
    raise TenantNotAccessible("Your consent at Xero does not reach this organisation.")


def _selection_event(
    actor: Actor,
    org_id: str,
    grant_id: UUID,
    connection: Connection,
    binding_id: UUID,
    created: bool,
) -> AuditEvent:
    return AuditEvent(
        actor,
        AuditAction.BINDING_SELECTED,
        org_id=org_id,
        binding_id=binding_id,
        grant_id=grant_id,
        tenant_id=connection.tenant_id,
        detail={"created": created},
    )


def _choice(
    connection: Connection, visibility: _Visibility, holder: Binding | None, org_id: str
) -> TenantChoice:
    availability = Availability.AVAILABLE
    if holder is not None:
        here = holder.org_id == org_id
        availability = Availability.BOUND_HERE if here else Availability.UNAVAILABLE
    event = connection.auth_event_id
    return TenantChoice(
        connection=connection,
        just_authorised=event is not None and event == visibility.newest_event,
        availability=availability,
        binding_id=holder.id if holder is not None and holder.org_id == org_id else None,
    )
