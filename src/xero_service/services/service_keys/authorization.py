"""What a service key may reach: one read decides key, scope, org, binding and grant."""

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
from xero_service.services.service_keys.keys import PresentedKey, refused
from xero_service.store.database import Database
from xero_service.store.service_lookup import LookupResult, ServiceLookup
from xero_service.throttle import Throttle

USE_IS_NOTED_EVERY = timedelta(minutes=1)
DENIALS_NOTED_A_MINUTE = 20
Detail = dict[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class ServiceCredentials:
    """What a service's request brings: its key, the org that it names, and where it is from."""

    key: str = field(repr=False)
    org_id: str | None
    request_id: str | None
    source: str | None

    def actor(self, key_id: UUID) -> Actor:
        """Name the key as the one who acts."""
        return Actor("service", str(key_id), request_id=self.request_id, source=self.source)


@dataclass(frozen=True, slots=True)
class AuthorizedBinding:
    """A key and a binding of its org that may be used now."""

    key: ServiceKey
    bound: BoundGrant


@dataclass(frozen=True, slots=True)
class ServiceAuthorizer:
    """Decides whether a service's call may be made."""

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
        """Return the key and a binding of its org, as they are after the call came.

        Raises AuthError, ScopeRequired, OrgRequired, OrgMismatch, NotFound, BindingSuspended,
        ReauthorizationRequired or ServiceBusy; GrantShared where the scope is to read tokens.
        """
        named = PresentedKey.parse(credentials.key)
        read = await self.reads.read(named.key_id, binding_id)
        if read is None:
            raise refused()
        try:
            org_id = _acting_org(read.key, read.secret_hash, named, credentials.org_id, scope)
            bound = _of_org(org_id, read.bound)
            bound.require_usable()
            _require_exclusive(read, scope)
        except DENIALS as error:
            self._note_denied_key(credentials, read, error, scope, binding_id)
            raise
        if _is_due(read.key.last_used_at, bound.last_used_at, bound.grant.read_at):
            self._note_use(read.key.id, bound.grant.id)
        return AuthorizedBinding(read.key, bound)

    async def acting_org(
        self, credentials: ServiceCredentials, scope: Scope
    ) -> tuple[ServiceKey, str]:
        """Return a key and the org that it acts for, where no one binding is asked for.

        Raises AuthError, ScopeRequired, OrgRequired, OrgMismatch or ServiceBusy.
        """
        named = PresentedKey.parse(credentials.key)
        async with self.database.transaction() as tx:
            found = await tx.service_keys.find(named.key_id)
            if found is None:
                raise refused()
            key, secret_hash = found
            try:
                org_id = _acting_org(key, secret_hash, named, credentials.org_id, scope)
            except DENIALS as error:
                self._note_denied_key(credentials, LookupResult(*found, bound=None), error, scope)
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
        """Audit that somebody known was refused an operation; `key`: what their key is called."""
        detail: Detail = {"operation": operation, **({"key": key} if key else {})}
        event = AuditEvent(
            actor, AuditAction.ACCESS_DENIED, error.code, org_id=org_id, detail=detail
        )
        self._note_denial(event, operation)

    def _note_denied_key(
        self,
        credentials: ServiceCredentials,
        read: LookupResult,
        error: IntegrationError,
        scope: Scope,
        asked: UUID | None = None,
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
            # Its secret was wrong, or it is over: whoever came is not known to be this key.
            event = replace(event, actor=replace(actor, kind="system", id="anonymous"))
        elif read.bound and not isinstance(error, AuthError | NotFound):
            # It is a binding of the key's org, which may know which one was asked for.
            event = replace(
                event,
                org_id=read.bound.binding.org_id,
                binding_id=read.bound.binding.id,
                grant_id=read.bound.grant.id,
                tenant_id=read.bound.binding.tenant_id,
            )
        elif asked:
            detail["bindingId"] = str(asked)
        self._note_denial(event, scope)

    def _note_denial(self, event: AuditEvent, operation: str) -> None:
        """Record a refusal, so often a minute for who was refused what: no loop fills the log.

        Nothing that the caller chooses freely, such as an id, makes another record; a key for all
        orgs chooses the org that it names, and a key of one org has no other.
        """
        org_id = None if event.actor.kind == "service" else event.org_id
        if self.denials.allow((event.actor.id, org_id, event.outcome, operation)):
            _ = self.background.start(self._record(event))

    async def _record(self, event: AuditEvent) -> None:
        with contextlib.suppress(ServiceBusy):
            async with self.database.background_autocommit() as tx:
                await tx.audit.add(event)


def _acting_org(
    key: ServiceKey, secret_hash: str, named: PresentedKey, named_org: str | None, scope: Scope
) -> str:
    """Return the org that a key acts for; the secret is judged before anything else."""
    if not compare_digest(secret_hash, named.secret_hash) or not key.is_valid:
        raise refused()
    if scope not in key.scopes:
        raise ScopeRequired(f"This service key lacks the scope {scope.value}.")
    if key.org_id is None:
        if not named_org:
            raise OrgRequired("A key for all organisations must name one in X-Org-Id.")
        return named_org
    if named_org and named_org != key.org_id:
        raise OrgMismatch
    return key.org_id


def _of_org(org_id: str, bound: BoundGrant | None) -> BoundGrant:
    if bound is None or bound.binding.org_id != org_id:
        raise NotFound
    return bound


def _require_exclusive(read: LookupResult, scope: Scope) -> None:
    """Raise GrantShared where a token for a key of one org would open other orgs' tenants."""
    if scope is Scope.TOKENS_READ and read.shared and read.key.org_id is not None:
        raise GrantShared("Use the API proxy for this connection, or a key for all organisations.")


def _is_due(*used_and_now: datetime | None) -> bool:
    *used, now = used_and_now
    return any(at is None or (now is not None and now - at > USE_IS_NOTED_EVERY) for at in used)
