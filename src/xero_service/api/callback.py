"""GET /callback: Xero redirects the browser here after the consent page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from xero_service.api import examples, flow_cookie
from xero_service.api.application import PREFIX
from xero_service.api.callers import actor_of
from xero_service.api.content_negotiation import is_speculative
from xero_service.api.deps import ServicesDep
from xero_service.api.session_auth import ReturningDep
from xero_service.services.connect.flow import CallbackParams

router = APIRouter(prefix=PREFIX, tags=["connect"])
STATE = Query(description="The attempt, as the start gave it to Xero.", examples=[examples.STATE])
CODE = Query(description="What Xero exchanges for tokens, once.", examples=[examples.CODE])
ERROR = Query(
    description="Why there is no code: `access_denied` where somebody pressed Cancel.",
    examples=["access_denied"],
)
ISSUER = Query(
    description="Who answers (RFC 9207); must be Xero where it is sent.",
    examples=["https://identity.xero.com"],
)


@router.head("/callback", include_in_schema=False)
@router.get(
    "/callback",
    operation_id="finishConnection",
    summary="Finish a connection to Xero",
    status_code=303,
    response_class=RedirectResponse,
    responses={
        303: {
            "description": "To the frontend, with `action=select_tenant&grantId=…`; after "
            "`reconnect=` with `action=reconnected&bindingId=…`, or with `unreached=…` beside the "
            "choice where the consent does not reach that binding's organisation; or with "
            "`error=…`: "
            "`access_denied`, `flow_expired`, `flow_mismatch`, `session_mismatch`, "
            "`exchange_failed`, `no_tenants`, `insufficient_scope`."
        },
        204: {"description": "To HEAD and prefetch, which consume nothing."},
    },
)
async def callback(
    request: Request,
    services: ServicesDep,
    session: ReturningDep,
    state: Annotated[str | None, STATE] = None,
    code: Annotated[str | None, CODE] = None,
    error: Annotated[str | None, ERROR] = None,
    iss: Annotated[str | None, ISSUER] = None,
) -> Response:
    """Take what Xero sends the browser back with, and land on the frontend whatever happened.

    Who: the browser that started, by the flow cookie. Xero calls nothing here itself: what an
    example sends must come from an attempt of its own.
    """
    if is_speculative(request):
        return Response(status_code=204)
    landing = await services.connect.finish(
        CallbackParams(state=state, code=code, error=error, issuer=iss),
        actor_of(request, session),
        browser_id=flow_cookie.read(request, services.settings),
        session=session,
    )
    return RedirectResponse(
        services.settings.frontend_url + landing, 303, {"Referrer-Policy": "no-referrer"}
    )
