"""GET /start: start a connection, which continues on Xero's consent page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from xero_service.api import examples, flow_cookie, problems
from xero_service.api.application import PREFIX
from xero_service.api.content_negotiation import prefers_html
from xero_service.api.deps import ServicesDep
from xero_service.api.schemas import AuthorizationStart
from xero_service.api.session_auth import NavigatingAdminDep
from xero_service.errors import (
    AdminRequired,
    CrossSiteRefused,
    ImpersonationRefused,
    InvalidReturnTo,
    NotFound,
)

router = APIRouter(prefix=PREFIX, tags=["connect"])
# For the OpenAPI document; `validate_return_to` checks it and raises InvalidReturnTo.
RETURN_TO = r"^(/|(/(?!\.\.?(/|$))[A-Za-z0-9._~-]+)+/?)$"


@router.get(
    "/start",
    operation_id="startConnection",
    summary="Start a connection to Xero",
    response_model=AuthorizationStart,
    responses={
        302: {"description": "To Xero's consent page, for a request that prefers `text/html`."},
        **problems.responses(
            *problems.SESSION,
            AdminRequired,
            ImpersonationRefused,
            CrossSiteRefused,
            InvalidReturnTo,
            NotFound,
            *problems.SESSION_UNAVAILABLE,
        ),
    },
)
async def start(
    request: Request,
    caller: NavigatingAdminDep,
    services: ServicesDep,
    return_to: Annotated[
        str | None,
        Query(
            alias="returnTo",
            description="The path of the frontend to come back to, without query or fragment.",
            examples=["/settings/integrations"],
            json_schema_extra={"pattern": RETURN_TO, "maxLength": 512},
        ),
    ] = None,
    reconnect: Annotated[
        UUID | None,
        Query(
            description="The binding that the consent is meant for: where the consent reaches its "
            "organisation, the binding rests on it without a choice.",
            examples=[examples.BINDING],
        ),
    ] = None,
) -> Response:
    """Store an attempt of ten minutes, and get Xero's consent page or be sent there.

    Who: an admin of the org, in person. A browser that navigates here sends the session cookie.

    The answer sets the flow cookie, so a page of another origin calls this with credentials
    included and then navigates to `authorizationUrl`.
    """
    started = await services.connect.start(
        caller.user,
        caller.actor,
        return_to=return_to,
        browser_id=flow_cookie.read(request, services.settings),
        reconnect=reconnect,
    )
    answer: Response
    if prefers_html(request):
        answer = RedirectResponse(started.authorization_url, 302)
    else:
        shaped = AuthorizationStart(
            authorization_url=started.authorization_url, expires_at=started.expires_at
        )
        answer = JSONResponse(shaped.model_dump(mode="json", by_alias=True))
    answer.headers["Vary"] = "Accept"
    flow_cookie.write(answer, services.settings, started.browser_id)
    return answer
