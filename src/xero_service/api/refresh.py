"""POST /refresh: refresh the tokens of an org that are due."""

from typing import Annotated

from fastapi import APIRouter, Body

from xero_service.api import problems
from xero_service.api.application import PREFIX
from xero_service.api.deps import ServicesDep
from xero_service.api.key_auth import RefresherDep
from xero_service.api.schemas import RefreshAnswer, RefreshRequest
from xero_service.errors import BodyTooLarge

router = APIRouter(prefix=PREFIX, tags=["bindings"])


@router.post(
    "/refresh",
    operation_id="refreshTokens",
    summary="Renew tokens that are due",
    responses=problems.responses(
        *problems.MEMBER_OR_KEY, BodyTooLarge, *problems.SESSION_UNAVAILABLE
    ),
)
async def refresh(
    caller: RefresherDep,
    services: ServicesDep,
    asked: Annotated[RefreshRequest | None, Body()] = None,
) -> RefreshAnswer:
    """Renew the org's tokens that are due; nothing to do without an active org.

    Who: a member of the org, or a service key with `grants:refresh`. Waits up to 25 seconds,
    and up to 15 more for a check.
    """
    refresh_org = (
        services.org_check.refresh_and_check_org
        if asked is not None and asked.check
        else services.tokens.proactive_refresh_for_org
    )
    return RefreshAnswer.model_validate(await refresh_org(caller.org_id))
