"""TokenService: a live token for any binding, for callers who know nothing of expiry."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from xero_service.crypto import KeyRing
from xero_service.domain import BindingStatus, BoundGrant, Grant, RefreshPolicy
from xero_service.errors import (
    ExternalAPIError,
    IntegrationError,
    NotFound,
    ServiceBusy,
    TokenDoubted,
    TokenExpired,
    XeroAccessRefused,
)
from xero_service.services.tokens.refresh import TokenRefresher
from xero_service.single_flight import SingleFlight
from xero_service.store.database import Database
from xero_service.telemetry import logger
from xero_service.timeouts import REFRESH_WAIT_SECONDS, SHORT_REFRESH_WAIT_SECONDS
from xero_service.xero.adapter import XeroAdapter
from xero_service.xero.api_client import XeroApiClient

DOUBTED_EVERY = timedelta(minutes=10)
STILL_WORKS = timedelta(seconds=5)  # less life than this is not worth handing out

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class BindingError:
    """Why one binding's tokens could not be renewed: a stable code."""

    binding_id: UUID
    error: str


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What `proactive_refresh_for_org` did."""

    has_active_bindings: bool = False
    refreshed_count: int = 0
    errors: tuple[BindingError, ...] = ()

    @property
    def success(self) -> bool:
        """Whether nothing failed."""
        return not self.errors


@dataclass(frozen=True, slots=True)
class TokenService:
    """Keeps grants fresh: once per grant at a time, however many ask."""

    database: Database
    xero: XeroAdapter
    keys: KeyRing
    policy: RefreshPolicy
    refresher: TokenRefresher
    flights: SingleFlight[UUID, Grant]

    async def proactive_refresh_for_org(self, org_id: str | None) -> RefreshReport:
        """Refresh the org's grants that are due; one that fails does not stop the others.

        Without an org there is nothing to do.

        `refreshed_count` counts grants whose tokens were rotated while this call waited, its own
        refresh or one that it joined; two bindings on one grant count once.
        """
        if org_id is None:
            return RefreshReport()
        async with self.database.transaction() as tx:
            bound = await tx.bindings.of_org(org_id, BindingStatus.ACTIVE)
        seen = {each.grant.id: each.grant for each in bound}
        due = [grant for grant in seen.values() if grant.needs_refresh(self.policy)]
        outcomes = await asyncio.gather(*(self._refreshed_or_error(grant) for grant in due))
        failed = {grant.id: code for grant, code in zip(due, outcomes, strict=True) if code}
        return RefreshReport(
            has_active_bindings=bool(bound),
            refreshed_count=sum(1 for code in outcomes if code == ""),
            errors=tuple(_errors(bound, failed)),
        )

    async def _refreshed_or_error(self, seen: Grant) -> str | None:
        """Return "" where the grant was rotated, None where it was fresh, else the error's code."""
        try:
            now = await self.refresh_grant_single_flight(seen.id)
        except IntegrationError as error:
            return error.code
        except Exception:
            log.exception("a refresh failed unexpectedly", grant_id=seen.id)
            return IntegrationError.code
        return "" if now.generation > seen.generation else None

    async def get_client_for_tenant_binding(self, binding_id: UUID, org_id: str) -> XeroApiClient:
        """Return a client for the binding's tenant that works right now.

        Raises NotFound, BindingSuspended, ReauthorizationRequired, or ExternalAPIError where
        only time helps.
        """
        async with self.database.transaction() as tx:
            bound = await tx.bindings.get(binding_id, org_id)
            if bound is None:
                raise NotFound
            bound.require_usable()
            await tx.grants.touch(bound.grant.id)
        return self.client(await self.usable(bound.grant), bound.binding.tenant_id)

    def client(self, grant: Grant, tenant_id: str) -> XeroApiClient:
        """Return a client for a tenant with a grant's access token; raises CiphertextUnreadable."""
        return self.xero.get_api_client(self.access_token(grant), tenant_id)

    async def usable(self, grant: Grant) -> Grant:
        """Return the grant with an access token that works, refreshed first where it is due.

        Inside the margin a caller waits for the refresh for two seconds at most and then gets
        the token that still works (design: rule 6).
        """
        if not grant.needs_refresh(self.policy):
            return grant
        if grant.valid_for() <= STILL_WORKS:
            return await self.refresh_grant_single_flight(grant.id)
        try:
            return await self.refresh_grant_single_flight(
                grant.id, patience=SHORT_REFRESH_WAIT_SECONDS
            )
        except (ExternalAPIError, ServiceBusy):
            return grant

    async def current(self, grant_id: UUID) -> Grant:
        """Read a grant, or the one that superseded it; raises ReauthorizationRequired."""
        return await self.refresher.outcomes.current(grant_id)

    async def refresh_grant_single_flight(
        self,
        grant_id: UUID,
        *,
        newer_than: int | None = None,
        patience: float = REFRESH_WAIT_SECONDS,
    ) -> Grant:
        """Refresh a grant that is due, once for all who ask at the same time; return it fresh.

        `newer_than`: refresh even if it looks fresh while it is still at this generation, because
        Xero refused its access token. `patience`: seconds that this caller waits; the refresh
        itself belongs to no caller. Raises ReauthorizationRequired, ExternalAPIError or
        ServiceBusy.
        """

        async def once() -> Grant:
            return await self.refresher.refresh(grant_id, newer_than=newer_than)

        try:
            async with asyncio.timeout(patience):
                while True:
                    grant = await self.flights.do(grant_id, once)
                    if newer_than is None or grant.id != grant_id or grant.generation > newer_than:
                        return grant
                    # The flight that was joined did not know that this generation is bad.
        except TimeoutError as error:
            raise ExternalAPIError("Renewing the tokens takes longer than usual.") from error

    async def renewed(self, grant: Grant, refusal: type[XeroAccessRefused]) -> Grant | None:
        """Return the grant with a newer token, after Xero refused its access token.

        None where a newer one would not help, or where one was fetched for such a doubt within
        ten minutes: what goes on refusing new tokens is not mended by newer ones. Raises as
        `refresh_grant_single_flight` does.
        """
        if issubclass(refusal, TokenDoubted):
            async with self.database.transaction() as tx:
                is_due = await tx.grants.doubt(
                    grant.id, generation=grant.generation, every=DOUBTED_EVERY
                )
            if is_due:
                log.warning("xero refused a live token", grant_id=grant.id)
        else:
            is_due = issubclass(refusal, TokenExpired)
        if not is_due:
            return None
        return await self.refresh_grant_single_flight(grant.id, newer_than=grant.generation)

    def access_token(self, grant: Grant) -> str:
        """Open a grant's access token; raises CiphertextUnreadable."""
        return self.keys.decrypt_token(grant.access_token_enc or "", f"{grant.id}:access_token_enc")

    def refresh_token(self, grant: Grant) -> str:
        """Open a grant's refresh token; raises CiphertextUnreadable."""
        return self.keys.decrypt_token(
            grant.refresh_token_enc or "", f"{grant.id}:refresh_token_enc"
        )


def _errors(bound: Iterable[BoundGrant], failed: dict[UUID, str]) -> Iterable[BindingError]:
    for each in bound:
        if code := failed.get(each.grant.id):
            yield BindingError(each.binding.id, code)
