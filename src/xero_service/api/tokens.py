"""POST /bindings/{bindingId}/token: a live access token for an internal service."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from starlette.types import Receive, Scope, Send

from xero_service.api import problems
from xero_service.api.deps import BindingPath, PresentedDep, ServicesDep
from xero_service.api.schemas import IssuedToken, TokenRequest
from xero_service.api.short_cut import Way
from xero_service.errors import (
    AuthError,
    BindingSuspended,
    BodyTooLarge,
    ExternalAPIError,
    GrantShared,
    NotFound,
    OrgMismatch,
    OrgRequired,
    RateLimitError,
    ReauthorizationRequired,
    ScopeRequired,
    ServiceBusy,
    XeroMisconfigured,
)
from xero_service.services.access import Presented
from xero_service.services.issuing import IssuedToken as Issued
from xero_service.wiring import Services

ROUTE = "/bindings/{bindingId}/token"
_HEADERS = ((b"content-type", b"application/json"),)

router = APIRouter(tags=["services"])


@router.post(
    ROUTE,
    operation_id="issueToken",
    summary="Get a live access token",
    responses=problems.responses(
        AuthError,
        ScopeRequired,
        OrgRequired,
        OrgMismatch,
        NotFound,
        ReauthorizationRequired,
        BindingSuspended,
        GrantShared,
        BodyTooLarge,
        ExternalAPIError,
        RateLimitError,
        XeroMisconfigured,
        ServiceBusy,
    ),
)
async def issue_token(
    bindingId: BindingPath,  # noqa: N803 - the name in the contract
    presented: PresentedDep,
    services: ServicesDep,
    wish: Annotated[TokenRequest | None, Body()] = None,
) -> IssuedToken:
    """Get an access token that works now, for one binding's Xero organisation.

    Who: a service key with `tokens:read`. 409 where only a person can help, 503 with
    Retry-After where time can.
    """
    issued = await services.issuing.token(
        presented,
        bindingId,
        min_validity=timedelta(seconds=wish.min_validity_seconds if wish else 0),
    )
    return _shown(issued)


@dataclass(frozen=True, slots=True)
class UsualToken:
    """The answer to the usual request, whose caller wishes nothing, as the route above gives it."""

    services: Services
    presented: Presented
    binding_id: UUID

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Issue a token and send it."""
        issued = await self.services.issuing.token(
            self.presented, self.binding_id, min_validity=timedelta()
        )
        body = _shown(issued).model_dump_json(by_alias=True).encode()
        headers = [*_HEADERS, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


SHORT = Way(ROUTE, frozenset({"POST"}), takes_body=False, serve=UsualToken)


def _shown(issued: Issued) -> IssuedToken:
    return IssuedToken(
        access_token=issued.access_token,
        expires_at=issued.expires_at,
        tenant_id=issued.tenant_id,
        binding_id=issued.binding_id,
    )
