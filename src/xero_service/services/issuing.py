"""Handing out access tokens: to keys that may have them, audited before they leave."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from xero_service.domain import Actor, AuditEvent, Grant, Scope
from xero_service.errors import ExternalAPIError
from xero_service.services.access import Access, AccessService, refuse_shared
from xero_service.services.tokens import TokenService
from xero_service.store.database import Database

REMEMBERED = 50_000
Issue = tuple[UUID, UUID, UUID, int, str | None]


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A live access token for one binding's tenant."""

    access_token: str = field(repr=False)
    expires_at: datetime
    tenant_id: str
    binding_id: UUID


@dataclass(frozen=True, slots=True)
class IssuingService:
    """Gives a service the access token of a binding (design: rule 9)."""

    database: Database
    access: AccessService
    tokens: TokenService
    audited: OrderedDict[Issue, None] = field(default_factory=OrderedDict, repr=False)

    async def token(
        self,
        key_text: str,
        org_id: str | None,
        binding_id: UUID,
        *,
        min_validity: timedelta,
        request_id: str | None,
        source: str | None,
    ) -> IssuedToken:
        """Return a token that works for at least `min_validity`.

        Raises as `AccessService.usable_binding` does, GrantShared, and ExternalAPIError or
        ServiceBusy where only time helps; ServiceBusy too where the issue cannot be audited.
        """
        found = await self.access.usable_binding(key_text, org_id, binding_id, Scope.TOKENS_READ)
        refuse_shared(found)
        grant = await self._fresh(found.binding.grant, min_validity)
        await self._audit_once(found, grant, request_id, source)
        return IssuedToken(
            access_token=self.tokens.access_token(grant),
            expires_at=grant.expires_at,
            tenant_id=found.binding.tenant_id,
            binding_id=binding_id,
        )

    async def _fresh(self, grant: Grant, min_validity: timedelta) -> Grant:
        if grant.valid_for() >= min_validity:
            grant = await self.tokens.usable(grant)
        if grant.valid_for() < min_validity:
            grant = await self.tokens.refresh_grant_single_flight(grant.id, beyond=grant.generation)
        if grant.valid_for() < min_validity:
            raise ExternalAPIError("Xero's tokens do not live that long.")
        return grant

    async def _audit_once(
        self, found: Access, grant: Grant, request_id: str | None, source: str | None
    ) -> None:
        """Audit once per key, binding, access token and source; else nothing is issued.

        The database keeps it once across replicas; this process remembers what it has seen.
        """
        issue = (found.key.id, found.binding.id, grant.id, grant.generation, source)
        if issue in self.audited:
            return
        actor = Actor("service", str(found.key.id), request_id=request_id, source=source)
        async with self.database.transaction() as tx:
            await tx.audit.add_issue(
                AuditEvent(
                    actor,
                    "token.issued",
                    org_id=found.binding.org_id,
                    binding_id=found.binding.id,
                    grant_id=grant.id,
                    tenant_id=found.binding.tenant_id,
                    detail={"generation": grant.generation, "key": found.key.name},
                )
            )
        self.audited[issue] = None
        if len(self.audited) > REMEMBERED:
            self.audited.popitem(last=False)
