"""Handing out access tokens: to keys that may have them, audited before they leave."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from xero_service.domain import AuditAction, AuditEvent, Grant, Scope
from xero_service.errors import ExternalAPIError, ServiceBusy
from xero_service.services.service_keys.authorization import (
    AuthorizedBinding,
    ServiceAuthorizer,
    ServiceCredentials,
)
from xero_service.services.tokens.service import TokenService
from xero_service.single_flight import SingleFlight
from xero_service.store.database import Database
from xero_service.timeouts import AUDIT_WAIT_SECONDS

REMEMBERED = 50_000
Reader = tuple[UUID, UUID, str | None]  # a key, a binding, and where it is called from
IssuedOf = tuple[UUID, int]  # a grant and its generation: one access token


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A live access token for one binding's tenant."""

    access_token: str = field(repr=False)
    expires_at: datetime
    tenant_id: str
    binding_id: UUID


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Gives a service the access token of a binding (design: rule 9)."""

    database: Database
    authorizer: ServiceAuthorizer
    tokens: TokenService
    flights: SingleFlight[tuple[Reader, IssuedOf], None]
    audited: OrderedDict[Reader, IssuedOf] = field(default_factory=OrderedDict, repr=False)

    async def issue(
        self, credentials: ServiceCredentials, binding_id: UUID, *, min_validity: timedelta
    ) -> IssuedToken:
        """Return a token that works for at least `min_validity`.

        Raises as `ServiceAuthorizer.authorize` does, and ExternalAPIError or
        ServiceBusy where only time helps; ServiceBusy too where the issue cannot be audited.
        """
        found = await self._issuable(credentials, binding_id)
        # Wherever time has passed it is decided again, on what is so now (S51).
        if await self._waited_for_tokens(found.bound.grant, min_validity):
            found = await self._issuable(credentials, binding_id)
        while await self._waited_for_audit(found, credentials):
            found = await self._issuable(credentials, binding_id)
        grant = found.bound.grant
        if grant.valid_for() < max(min_validity, timedelta()):
            raise ExternalAPIError("Xero's tokens do not live that long.")
        return IssuedToken(
            access_token=self.tokens.access_token(grant),
            expires_at=grant.expires_at,
            tenant_id=found.bound.binding.tenant_id,
            binding_id=binding_id,
        )

    async def _issuable(
        self, credentials: ServiceCredentials, binding_id: UUID
    ) -> AuthorizedBinding:
        return await self.authorizer.authorize(credentials, binding_id, Scope.TOKENS_READ)

    async def _waited_for_tokens(self, grant: Grant, min_validity: timedelta) -> bool:
        """Renew a grant that is due, or lives too short for this caller; False where neither."""
        if grant.valid_for() < min_validity:
            await self.tokens.refresh_grant_single_flight(grant.id, newer_than=grant.generation)
        elif grant.needs_refresh(self.tokens.policy):
            await self.tokens.usable(grant)
        else:
            return False
        return True

    async def _waited_for_audit(
        self, found: AuthorizedBinding, credentials: ServiceCredentials
    ) -> bool:
        """Audit once per key, binding, access token and source, else nothing is issued.

        The database keeps it once across replicas; this process remembers each reader's last.
        False where that is so already. Raises ServiceBusy.
        """
        grant = found.bound.grant
        reader = (found.key.id, found.bound.binding.id, credentials.source)
        token = (grant.id, grant.generation)
        if self.audited.get(reader) == token:
            return False
        try:
            async with asyncio.timeout(AUDIT_WAIT_SECONDS):
                await self.flights.do((reader, token), lambda: self._audit(found, credentials))
        except TimeoutError as error:
            raise ServiceBusy("The issue could not be recorded in time.") from error
        self.audited[reader] = token
        self.audited.move_to_end(reader)
        if len(self.audited) > REMEMBERED:
            self.audited.popitem(last=False)
        return True

    async def _audit(self, found: AuthorizedBinding, credentials: ServiceCredentials) -> None:
        binding, grant = found.bound.binding, found.bound.grant
        # In line: hundreds whose refresh has just ended must not take the pool from who reads.
        async with self.database.background_autocommit() as tx:
            await tx.audit.add_issue(
                AuditEvent(
                    credentials.actor(found.key.id),
                    AuditAction.TOKEN_ISSUED,
                    org_id=binding.org_id,
                    binding_id=binding.id,
                    grant_id=grant.id,
                    tenant_id=binding.tenant_id,
                    detail={"generation": grant.generation, "key": found.key.name},
                )
            )
