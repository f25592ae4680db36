"""POST /bindings/{bindingId}/token: a live access token for an internal service."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body

from xero_service.api import problems
from xero_service.api.application import PREFIX
from xero_service.api.deps import BindingPath, ServicesDep
from xero_service.api.key_auth import CredentialsDep
from xero_service.api.schemas import IssuedToken, TokenRequest
from xero_service.api.service_route import ServiceRoute
from xero_service.errors import BodyTooLarge, GrantShared, ServiceBusy

router = APIRouter(prefix=PREFIX, tags=["services"], route_class=ServiceRoute)


@router.post(
    "/bindings/{bindingId}/token",
    operation_id="issueToken",
    summary="Get a live access token",
    responses=problems.responses(
        *problems.SERVICE_KEY,
        *problems.BINDING_IN_USE,
        GrantShared,
        BodyTooLarge,
        *problems.XERO,
        ServiceBusy,
    ),
)
async def issue_token(
    bindingId: BindingPath,  # noqa: N803 - the name in the contract
    credentials: CredentialsDep,
    services: ServicesDep,
    body: Annotated[TokenRequest | None, Body()] = None,
) -> IssuedToken:
    """Get an access token that works now, for one binding's Xero organisation.

    Who: a service key with `tokens:read`. 409 where only a person can help, 503 with
    Retry-After where time can.
    """
    issued = await services.token_issuer.issue(
        credentials,
        bindingId,
        min_validity=timedelta(seconds=body.min_validity_seconds if body else 0),
    )
    return IssuedToken(
        access_token=issued.access_token,
        expires_at=issued.expires_at,
        tenant_id=issued.tenant_id,
        binding_id=issued.binding_id,
    )
