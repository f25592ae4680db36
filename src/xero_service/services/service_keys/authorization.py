"""Authorize a service's call: one read decides key, scope, org, binding and grant."""

import contextlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from xero_service.background import BackgroundWork
from xero_service.domain import (
    Actor,
    AuditAction,
    AuditEvent,
    BoundGrant,
    Scope,
    ServiceKey,
)
from xero_service.errors import (
    DENIALS,
    AuthError,
    GrantShared,
    IntegrationError,
    NotFound,
    OrgMismatch,
    OrgRequired,
    ScopeRequired,
    ServiceBusy,
)
from xero_service.services.service_keys.keys import PresentedKey, invalid_key
from xero_service.store.database import Database
from xero_service.store.service_lookup import LookupResult, ServiceLookup
from xero_service.telemetry.request_record import note_binding, note_key
from xero_service.throttle import Throttle

USE_IS_NOTED_EVERY = timedelta(minutes=1)
DENIALS_NOTED_A_MINUTE = 20
Detail = dict[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class ServiceCredentials:
    """The key, the org and the source address of a service's request."""

    key: str = field(repr=False)
    org_id: str | None
    request_id: str | None
    source: str | None

    def actor(self, key_id: UUID) -> Actor:
        """Return the key as an actor for the audit log."""
        return Actor("service", str(key_id), request_id=self.request_id, source=self.source)


@dataclass(frozen=True, slots=True)
class AuthorizedBinding:
    """A service key and the binding that it may use now."""

    key: ServiceKey
    bound: BoundGrant


@dataclass(frozen=True, slots=True)
class ServiceAuthorizer:
    """Authorizes services' calls, and records denials and uses."""

    database: Database
    background: BackgroundWork
    reads: ServiceLookup
    uses: Throttle[tuple[UUID, UUID]] = field(
        default_factory=lambda: Throttle(every=USE_IS_NOTED_EVERY.total_seconds() / 2)
    )
    denials: Throttle[tuple[str, str | None, str, str]] = field(
        default_factory=lambda: Throttle(every=60.0, times=DENIALS_NOTED_A_MINUTE)
    )

    async def authorize(
        self, credentials: ServiceCredentials, binding_id: UUID, scope: Scope
    ) -> AuthorizedBinding:
        """Return the key and a binding of its org, from a read that began after this call.

        Raises AuthError, ScopeRequired, OrgRequired, OrgMismatch, NotFound, BindingSuspended,
        ReauthorizationRequired or ServiceBusy; GrantShared where the scope is to read tokens.
        """
        presented = PresentedKey.parse(credentials.key)
        read = await self.reads.read(presented.key_id, binding_id)
        if read is None:
            raise invalid_key()
        try:
            org_id = _require_org(read.key, read.secret_hash, presented, credentials.org_id, scope)
            note_key(read.key.id, org_id)
            bound = _require_same_org(org_id, read.bound)
            note_binding(binding_id)
            bound.require_usable()
            _require_exclusive(read, scope)
        except DENIALS as error:
            self._note_key_denial(credentials, read, error, scope, binding_id)
            raise
        if _is_use_stale(read.key.last_used_at, bound.last_used_at, bound.grant.read_at):
            self._note_use(read.key.id, bound.grant.id)
        return AuthorizedBinding(read.key, bound)

    async def acting_org(
        self, credentials: ServiceCredentials, scope: Scope
    ) -> tuple[ServiceKey, str]:
        """Return a key and the org that it acts for, for a request that names no binding.

        Raises AuthError, ScopeRequired, OrgRequired, OrgMismatch or ServiceBusy.
        """
        presented = PresentedKey.parse(credentials.key)
        async with self.database.transaction() as tx:
            found = await tx.service_keys.find(presented.key_id)
            if found is None:
                raise invalid_key()
            key, secret_hash = found
            try:
                org_id = _require_org(key, secret_hash, presented, credentials.org_id, scope)
                note_key(key.id, org_id)
            except DENIALS as error:
                self._note_key_denial(credentials, LookupResult(*found, bound=None), error, scope)
                raise
            await tx.service_keys.touch(key.id)
        return key, org_id

    def _note_use(self, key_id: UUID, grant_id: UUID) -> None:
        if self.uses.allow((key_id, grant_id)):
            _ = self.background.start(self._touch(key_id, grant_id))

    async def _touch(self, key_id: UUID, grant_id: UUID) -> None:
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_autocommit() as tx:
                await tx.service_keys.touch(key_id)
                await tx.grants.touch(grant_id)

    def note_denial(
        self,
        actor: Actor,
        org_id: str | None,
        error: IntegrationError,
        operation: str,
        *,
        key: str | None = None,
    ) -> None:
        """Audit that an identified caller was denied an operation; `key`: the name of its key."""
        detail: Detail = {"operation": operation, **({"key": key} if key else {})}
        event = AuditEvent(
            actor, AuditAction.ACCESS_DENIED, error.code, org_id=org_id, detail=detail
        )
        self._audit_throttled(event, operation)

    def _note_key_denial(
        self,
        credentials: ServiceCredentials,
        read: LookupResult,
        error: IntegrationError,
        scope: Scope,
        requested: UUID | None = None,
    ) -> None:
        actor, detail = credentials.actor(read.key.id), Detail(key=read.key.name)
        event = AuditEvent(
            actor,
            AuditAction.ACCESS_DENIED,
            outcome=error.code,
            org_id=read.key.org_id,
            detail=detail,
        )
        if error.code == AuthError.code:
            # The secret did not match or the key expired: the caller must not be recorded as it.
            event = replace(event, actor=replace(actor, kind="system", id="anonymous"))
            self._audit_throttled(event, scope)
            return
        note_key(read.key.id, read.key.org_id)
        if read.bound and not isinstance(error, AuthError | NotFound):
            # The binding is of the key's org, whose audit log may name it.
            event = replace(
                event,
                org_id=read.bound.binding.org_id,
                binding_id=read.bound.binding.id,
                grant_id=read.bound.grant.id,
                tenant_id=read.bound.binding.tenant_id,
            )
        elif requested:
            detail["bindingId"] = str(requested)
        self._audit_throttled(event, scope)

    def _audit_throttled(self, event: AuditEvent, operation: str) -> None:
        """Audit a denial, throttled per actor, org, outcome and operation.

        No value that the caller chooses is part of the throttle's key, so that no loop fills the
        log: no id, and for a service key no org, as a key for all orgs may name any.
        """
        org_id = None if event.actor.kind == "service" else event.org_id
        if self.denials.allow((event.actor.id, org_id, event.outcome, operation)):
            _ = self.background.start(self._audit(event))

    async def _audit(self, event: AuditEvent) -> None:
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_autocommit() as tx:
                await tx.audit.add(event)


def _require_org(
    key: ServiceKey, secret_hash: str, presented: PresentedKey, named_org: str | None, scope: Scope
) -> str:
    """Return the org that a key acts for; the secret is checked before anything else."""
    if not compare_digest(secret_hash, presented.secret_hash) or not key.is_valid:
        raise invalid_key()
    if scope not in key.scopes:
        raise ScopeRequired(f"This service key lacks the scope {scope.value}.")
    if key.org_id is None:
        if not named_org:
            raise OrgRequired("A key for all organisations must name one in X-Org-Id.")
        return named_org
    if named_org and named_org != key.org_id:
        raise OrgMismatch
    return key.org_id


def _require_same_org(org_id: str, bound: BoundGrant | None) -> BoundGrant:
    if bound is None or bound.binding.org_id != org_id:
        raise NotFound
    return bound


def _require_exclusive(read: LookupResult, scope: Scope) -> None:
    """Raise GrantShared where a token for a key of one org would open other orgs' tenants."""
    if scope is Scope.TOKENS_READ and read.shared and read.key.org_id is not None:
        raise GrantShared("Use the API proxy for this connection, or a key for all organisations.")


def _is_use_stale(*used_and_now: datetime | None) -> bool:
    *used, now = used_and_now
    return any(at is None or (now is not None and now - at > USE_IS_NOTED_EVERY) for at in used)
