"""Issue access tokens to service keys; each issue is audited before the token is returned."""

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

MAX_READERS = 50_000  # whose last audited token is remembered
Reader = tuple[UUID, UUID, str | None]  # a key, a binding, and the source address
# A grant, its generation, and when that was issued: one access token. In a restored database a
# generation comes a second time, with another token.
TokenId = tuple[UUID, int, datetime]


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A live access token for one binding's tenant."""

    access_token: str = field(repr=False)
    expires_at: datetime
    tenant_id: str
    binding_id: UUID


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Issues the access token of a binding to a service (design: rule 9)."""

    database: Database
    authorizer: ServiceAuthorizer
    tokens: TokenService
    flights: SingleFlight[tuple[Reader, TokenId], None]
    audited: OrderedDict[Reader, TokenId] = field(default_factory=OrderedDict, repr=False)

    async def issue(
        self, credentials: ServiceCredentials, binding_id: UUID, *, min_validity: timedelta
    ) -> IssuedToken:
        """Return a token that is valid for at least `min_validity`.

        Raises as `ServiceAuthorizer.authorize` does; ExternalAPIError or ServiceBusy where only
        time helps; ServiceBusy also where the issue cannot be audited.
        """
        authorized = await self._authorize(credentials, binding_id)
        # Each wait is followed by a new authorization, on the current rows (S51).
        if await self._refresh_if_needed(authorized.bound.grant, min_validity):
            authorized = await self._authorize(credentials, binding_id)
        while await self._audit_once(authorized, credentials):
            authorized = await self._authorize(credentials, binding_id)
        grant = authorized.bound.grant
        if grant.valid_for() < max(min_validity, timedelta()):
            raise ExternalAPIError("Xero's tokens are not valid for that long.")
        return IssuedToken(
            access_token=self.tokens.access_token(grant),
            expires_at=grant.expires_at,
            tenant_id=authorized.bound.binding.tenant_id,
            binding_id=binding_id,
        )

    async def _authorize(
        self, credentials: ServiceCredentials, binding_id: UUID
    ) -> AuthorizedBinding:
        return await self.authorizer.authorize(credentials, binding_id, Scope.TOKENS_READ)

    async def _refresh_if_needed(self, grant: Grant, min_validity: timedelta) -> bool:
        """Refresh a grant that is due or expires too soon for this caller; False for neither."""
        if grant.valid_for() < min_validity:
            await self.tokens.refresh_grant_single_flight(grant.id, newer_than=grant.generation)
        elif grant.needs_refresh(self.tokens.policy):
            await self.tokens.refresh_if_due(grant)
        else:
            return False
        return True

    async def _audit_once(
        self, authorized: AuthorizedBinding, credentials: ServiceCredentials
    ) -> bool:
        """Audit the issue once per key, binding, access token and source.

        Returns False where this process has audited it already; the database keeps one row across
        replicas. Raises ServiceBusy.
        """
        grant = authorized.bound.grant
        reader = (authorized.key.id, authorized.bound.binding.id, credentials.source)
        token = (grant.id, grant.generation, grant.refresh_token_issued_at)
        if self.audited.get(reader) == token:
            return False
        try:
            async with asyncio.timeout(AUDIT_WAIT_SECONDS):
                await self.flights.do((reader, token), lambda: self._audit(authorized, credentials))
        except TimeoutError as error:
            raise ServiceBusy("The issue could not be recorded in time.") from error
        self.audited[reader] = token
        self.audited.move_to_end(reader)
        if len(self.audited) > MAX_READERS:
            self.audited.popitem(last=False)
        return True

    async def _audit(self, authorized: AuthorizedBinding, credentials: ServiceCredentials) -> None:
        # Hundreds of callers whose refresh has just ended must not exhaust the pool.
        async with self.database.background_autocommit() as tx:
            await tx.audit.add_issue(
                AuditEvent.of_binding(
                    credentials.actor(authorized.key.id),
                    AuditAction.TOKEN_ISSUED,
                    authorized.bound.binding,
                    generation=authorized.bound.grant.generation,
                    key=authorized.key.name,
                )
            )
