"""What a service key may reach: one read decides key, scope, org, binding and grant."""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from xero_service.domain import BindingStatus, Scope, ServiceKey
from xero_service.errors import (
    BindingSuspended,
    GrantShared,
    NotFound,
    OrgMismatch,
    OrgRequired,
    ReauthorizationRequired,
    ScopeRequired,
    ServiceBusy,
)
from xero_service.services.keys import PresentedKey, refused
from xero_service.singleflight import BackgroundWork
from xero_service.store.database import Database
from xero_service.store.token_reads import ReadBinding, read_token

USE_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Access:
    """A key and a binding of its org that may be used now."""

    key: ServiceKey
    binding: ReadBinding


@dataclass(frozen=True, slots=True)
class AccessService:
    """Decides whether a service's call may use a binding."""

    database: Database
    background: BackgroundWork

    async def usable_binding(
        self, key_text: str, org_id: str | None, binding_id: UUID, scope: Scope
    ) -> Access:
        """Return key and binding; `org_id` is what X-Org-Id named.

        Raises AuthError, ScopeRequired, OrgRequired, OrgMismatch, NotFound, BindingSuspended,
        ReauthorizationRequired or ServiceBusy.
        """
        presented = PresentedKey.parse(key_text)
        read = await read_token(self.database, presented.key_id, binding_id)
        if read is None or not compare_digest(read.secret_hash, presented.secret_hash):
            raise refused()
        if not read.key.is_valid:
            raise refused()
        org_id = acting_for(read.key, org_id, scope)
        binding = read.binding
        if binding is None or binding.org_id != org_id:
            raise NotFound
        if binding.status is BindingStatus.REVOKED:
            raise NotFound
        if binding.status is BindingStatus.SUSPENDED:
            raise BindingSuspended("An operator suspended this connection.")
        if binding.status is BindingStatus.NEEDS_REAUTH:
            raise ReauthorizationRequired("An admin must connect this organisation again.")
        if _is_due(read.key.last_used_at, binding.grant_used_at, binding.grant.read_at):
            _ = self.background.start(self._note_use(read.key.id, binding.grant.id))
        return Access(read.key, binding)

    async def _note_use(self, key_id: UUID, grant_id: UUID) -> None:
        with contextlib.suppress(ServiceBusy):
            async with self.database.transaction() as tx:
                await tx.service_keys.touch(key_id)
                await tx.grants.touch(grant_id)


def acting_for(key: ServiceKey, named_org: str | None, scope: Scope) -> str:
    """Return the org that a key acts for; raises ScopeRequired, OrgRequired or OrgMismatch."""
    if scope not in key.scopes:
        raise ScopeRequired(f"This service key lacks the scope {scope.value}.")
    if key.org_id is None:
        if not named_org:
            raise OrgRequired("A key for all organisations must name one in X-Org-Id.")
        return named_org
    if named_org and named_org != key.org_id:
        raise OrgMismatch
    return key.org_id


def refuse_shared(access: Access) -> None:
    """Keep the token from a key of one org where it opens another org's tenants too (rule 9)."""
    if access.binding.shared and access.key.org_id is not None:
        raise GrantShared("Use the API proxy for this connection, or a key for all organisations.")


def _is_due(*used_and_now: datetime | None) -> bool:
    *used, now = used_and_now
    return any(at is None or (now is not None and now - at > USE_IS_NOTED_EVERY) for at in used)
