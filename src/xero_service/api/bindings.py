"""GET /bindings: the bindings of an org."""

from typing import Annotated

from fastapi import APIRouter, Query

from xero_service.api import problems
from xero_service.api.application import PREFIX
from xero_service.api.binding_schemas import BindingList
from xero_service.api.deps import ServicesDep
from xero_service.api.key_auth import BindingsReaderDep
from xero_service.domain import BindingStatus

router = APIRouter(prefix=PREFIX, tags=["bindings"])


@router.get(
    "/bindings",
    operation_id="listBindings",
    summary="List the connected organisations",
    responses=problems.responses(*problems.MEMBER_OR_KEY, *problems.SESSION_UNAVAILABLE),
)
async def list_bindings(
    caller: BindingsReaderDep,
    services: ServicesDep,
    status: Annotated[
        BindingStatus | None,
        Query(
            description="Only bindings of this status; revoked ones are shown only if asked for.",
            examples=["active"],
        ),
    ] = None,
) -> BindingList:
    """List the org's bindings with who connected them and how their tokens do.

    Who: a member of the org, or a service key with `bindings:read`.
    """
    found = await services.bindings.of_org(caller.org_id, status, user_id=caller.user_id)
    return BindingList.of(found)
