"""GET /callback: the browser comes back from Xero."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from xero_service.api import flow_cookie
from xero_service.api.accept import is_speculative
from xero_service.api.deps import ReturningDep, ServicesDep, actor_of
from xero_service.services.connect import XeroReturn

router = APIRouter(tags=["connect"])
Parameter = Annotated[str | None, Query()]


@router.head("/callback", include_in_schema=False)
@router.get(
    "/callback",
    operation_id="finishConnection",
    status_code=303,
    response_class=RedirectResponse,
    responses={
        303: {
            "description": "To the frontend, with `action=select_tenant&grantId=…` or `error=…`: "
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
    state: Parameter = None,
    code: Parameter = None,
    error: Parameter = None,
    iss: Parameter = None,
) -> Response:
    """Finish connecting, and land on the frontend whatever happened."""
    if is_speculative(request):
        return Response(status_code=204)
    landing = await services.connect.finish(
        XeroReturn(state=state, code=code, error=error, issuer=iss),
        actor_of(request, session),
        browser_id=flow_cookie.read(request, services.settings),
        session=session,
    )
    return RedirectResponse(
        services.settings.frontend_url + landing, 303, {"Referrer-Policy": "no-referrer"}
    )
