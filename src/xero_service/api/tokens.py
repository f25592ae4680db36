"""POST /bindings/{bindingId}/token: a live access token for an internal service."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response

from xero_service.api import problems
from xero_service.api.deps import PresentedDep, ServicesDep
from xero_service.api.schemas import IssuedToken, TokenRequest
from xero_service.errors import (
    AuthError,
    BindingSuspended,
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

router = APIRouter(tags=["services"])


@router.post(
    "/bindings/{bindingId}/token",
    operation_id="issueToken",
    responses=problems.responses(
        AuthError,
        ScopeRequired,
        OrgRequired,
        OrgMismatch,
        NotFound,
        ReauthorizationRequired,
        BindingSuspended,
        GrantShared,
        ExternalAPIError,
        RateLimitError,
        XeroMisconfigured,
        ServiceBusy,
    ),
)
async def issue_token(
    bindingId: UUID,  # noqa: N803 - the name in the contract
    presented: PresentedDep,
    services: ServicesDep,
    response: Response,
    wish: Annotated[TokenRequest | None, Body()] = None,
) -> IssuedToken:
    """Get an access token that works now, for one binding's Xero organisation.

    Needs a service key with `tokens:read`. 409 where only a person can help, 503 with
    Retry-After where time can.
    """
    issued = await services.issuing.token(
        presented,
        bindingId,
        min_validity=timedelta(seconds=wish.min_validity_seconds if wish else 0),
    )
    response.headers["Cache-Control"] = "no-store"
    return IssuedToken(
        access_token=issued.access_token,
        expires_at=issued.expires_at,
        tenant_id=issued.tenant_id,
        binding_id=issued.binding_id,
    )
