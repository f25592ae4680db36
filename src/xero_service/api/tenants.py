"""/tenants: list the tenants of a grant, and bind one of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from xero_service.api import examples, problems
from xero_service.api.application import PREFIX
from xero_service.api.binding_schemas import Binding
from xero_service.api.deps import ServicesDep
from xero_service.api.schemas import TenantList, TenantSelection
from xero_service.api.session_auth import AdminDep, AdminInPersonDep
from xero_service.errors import (
    AdminRequired,
    BodyTooLarge,
    ImpersonationRefused,
    NotFound,
    ReauthorizationRequired,
    TenantBoundElsewhere,
    TenantNotAccessible,
    XeroAccessRefused,
)

router = APIRouter(prefix=f"{PREFIX}/tenants", tags=["tenants"])
COMMON = (
    *problems.SESSION,
    AdminRequired,
    NotFound,
    ReauthorizationRequired,
    *problems.XERO,
    XeroAccessRefused,
    *problems.SESSION_UNAVAILABLE,
)


@router.get(
    "/list",
    operation_id="listTenants",
    summary="List what a consent reached",
    responses=problems.responses(*COMMON),
)
async def list_tenants(
    caller: AdminDep,
    services: ServicesDep,
    grant_id: Annotated[
        UUID,
        Query(
            alias="grantId",
            description="The grant, as the callback gave it in the landing address.",
            examples=[examples.GRANT],
        ),
    ],
) -> TenantList:
    """Ask Xero which organisations a grant reaches; those of the org's own consents are shown.

    Who: an admin of the org.
    """
    return TenantList.of(await services.tenants.choices(caller.user, grant_id))


@router.post(
    "/select",
    operation_id="selectTenant",
    summary="Choose an organisation to connect",
    responses={
        200: {"description": "The binding of this org, which now rests on this grant."},
        201: {"model": Binding, "description": "A new binding."},
        **problems.responses(
            *COMMON, ImpersonationRefused, TenantBoundElsewhere, TenantNotAccessible, BodyTooLarge
        ),
    },
)
async def select_tenant(
    selection: TenantSelection, caller: AdminInPersonDep, services: ServicesDep, response: Response
) -> Binding:
    """Bind one organisation; one that is bound here already rests on the new grant.

    Who: an admin of the org, in person.
    """
    selected = await services.tenants.select(
        caller.user, caller.actor, selection.grant_id, selection.tenant_id
    )
    response.status_code = 201 if selected.created else 200
    return Binding.of(selected.view)
