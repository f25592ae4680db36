"""Return live access tokens, refreshing grants that are due once for all concurrent callers."""

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
MIN_LIFETIME = timedelta(seconds=5)  # a token that expires sooner is not returned

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class BindingError:
    """A binding whose tokens could not be refreshed, and the stable code of the error."""

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
    """Refreshes grants that are due: one refresh per grant at a time."""

    database: Database
    xero: XeroAdapter
    keys: KeyRing
    policy: RefreshPolicy
    refresher: TokenRefresher
    flights: SingleFlight[UUID, Grant]

    async def proactive_refresh_for_org(self, org_id: str | None) -> RefreshReport:
        """Refresh the org's grants that are due; a failure does not stop the others.

        Does nothing without an org. `refreshed_count` counts grants whose tokens were rotated
        while this call waited, by its own refresh or one that it joined; two bindings on one grant
        count once.
        """
        if org_id is None:
            return RefreshReport()
        async with self.database.transaction() as tx:
            bound = await tx.bindings.of_org(org_id, BindingStatus.ACTIVE)
        seen = {each.grant.id: each.grant for each in bound}
        due = [grant for grant in seen.values() if grant.needs_refresh(self.policy)]
        outcomes = await asyncio.gather(*(self._try_refresh(grant) for grant in due))
        failed = {grant.id: code for grant, code in zip(due, outcomes, strict=True) if code}
        return RefreshReport(
            has_active_bindings=bool(bound),
            refreshed_count=sum(1 for code in outcomes if code == ""),
            errors=tuple(_errors(bound, failed)),
        )

    async def _try_refresh(self, seen: Grant) -> str | None:
        """Return "" if the grant was rotated, None if it was fresh, else the error's code."""
        try:
            grant = await self.refresh_grant_single_flight(seen.id)
        except IntegrationError as error:
            return error.code
        except Exception:
            log.exception("a refresh failed unexpectedly", grant_id=seen.id)
            return IntegrationError.code
        return "" if grant.generation > seen.generation else None

    async def get_client_for_tenant_binding(self, binding_id: UUID, org_id: str) -> XeroApiClient:
        """Return an API client for the binding's tenant, with a live access token.

        Raises NotFound, BindingSuspended, ReauthorizationRequired, or ExternalAPIError where
        only time helps.
        """
        async with self.database.transaction() as tx:
            bound = await tx.bindings.get(binding_id, org_id)
            if bound is None:
                raise NotFound
            bound.require_usable()
            await tx.grants.touch(bound.grant.id)
        return self.client(await self.refresh_if_due(bound.grant), bound.binding.tenant_id)

    def client(self, grant: Grant, tenant_id: str) -> XeroApiClient:
        """Return a client for a tenant with a grant's access token; raises CiphertextUnreadable."""
        return self.xero.get_api_client(self.access_token(grant), tenant_id)

    async def refresh_if_due(self, grant: Grant) -> Grant:
        """Return the grant with a live access token, refreshed first if it is due.

        Inside the margin a caller waits two seconds at most and then gets the token that still
        works (design: rule 6).
        """
        if not grant.needs_refresh(self.policy):
            return grant
        if grant.valid_for() <= MIN_LIFETIME:
            return await self.refresh_grant_single_flight(grant.id)
        try:
            return await self.refresh_grant_single_flight(
                grant.id, max_wait=SHORT_REFRESH_WAIT_SECONDS
            )
        except (ExternalAPIError, ServiceBusy):
            return grant

    async def load_active(self, grant_id: UUID) -> Grant:
        """Return the grant, or the one that superseded it; raises ReauthorizationRequired."""
        return await self.refresher.outcomes.load_active(grant_id)

    async def refresh_grant_single_flight(
        self,
        grant_id: UUID,
        *,
        newer_than: int | None = None,
        max_wait: float = REFRESH_WAIT_SECONDS,
    ) -> Grant:
        """Refresh a grant if it is due, once for all concurrent callers; return it fresh.

        `newer_than`: a generation that counts as due because Xero refused its access token.
        `max_wait`: seconds that this caller waits; the refresh goes on after them. Raises
        ReauthorizationRequired, ExternalAPIError or ServiceBusy.
        """

        async def refresh() -> Grant:
            return await self.refresher.refresh(grant_id, newer_than=newer_than)

        try:
            async with asyncio.timeout(max_wait):
                while True:
                    grant = await self.flights.do(grant_id, refresh)
                    if newer_than is None or grant.id != grant_id or grant.generation > newer_than:
                        return grant
                    # The flight that was joined was started without this `newer_than`.
        except TimeoutError as error:
            raise ExternalAPIError("Refreshing the tokens takes longer than usual.") from error

    async def refresh_after_refusal(
        self, grant: Grant, refusal: type[XeroAccessRefused]
    ) -> Grant | None:
        """Return the grant with a newer token, after Xero refused its access token.

        None where a newer token would not help, or where a doubted token was refreshed within the
        last ten minutes. Raises as `refresh_grant_single_flight` does.
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
        """Decrypt a grant's access token; raises CiphertextUnreadable."""
        return self.keys.decrypt_token(grant.access_token_enc or "", f"{grant.id}:access_token_enc")

    def refresh_token(self, grant: Grant) -> str:
        """Decrypt a grant's refresh token; raises CiphertextUnreadable."""
        return self.keys.decrypt_token(
            grant.refresh_token_enc or "", f"{grant.id}:refresh_token_enc"
        )


def _errors(bound: Iterable[BoundGrant], failed: dict[UUID, str]) -> Iterable[BindingError]:
    for each in bound:
        if code := failed.get(each.grant.id):
            yield BindingError(each.binding.id, code)
