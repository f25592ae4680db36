"""ANY /bindings/{bindingId}/api/{path}: Xero's API with a live token added."""

from contextlib import AsyncExitStack
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from xero_service.api import body_limit, problems
from xero_service.api.deps import PresentedDep, ServicesDep
from xero_service.errors import (
    AuthError,
    BindingSuspended,
    BodyTooLarge,
    ExternalAPIError,
    ForbiddenPath,
    NotFound,
    OrgMismatch,
    OrgRequired,
    RateBudgetExhausted,
    RateLimitError,
    ReauthorizationRequired,
    ScopeRequired,
    ServiceBusy,
    UpstreamTimeout,
    XeroMisconfigured,
)
from xero_service.services.proxy import Forwarded
from xero_service.xero.transport import StreamedAnswer

router = APIRouter(tags=["services"])
CALLER_LEFT = 499  # nobody reads it; in the access log it tells who ended the request
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class PassedOn(StreamingResponse):
    """An answer that passes as it arrives; its call ends with it, or when the caller leaves."""

    def __init__(self, answer: StreamedAnswer, call: AsyncExitStack) -> None:
        """Keep status and headers as they are."""
        super().__init__(answer.body, answer.status)
        self.raw_headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in answer.headers]
        self._call = call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with self._call:
            await super().__call__(scope, receive, send)


async def call_xero(
    bindingId: UUID,  # noqa: N803 - the name in the contract
    path: str,  # noqa: ARG001 - the raw path is what is sent
    request: Request,
    services: ServicesDep,
    presented: PresentedDep,
) -> Response:
    """Call Xero's API for one binding: the answer is Xero's own, status and rate limits included.

    Needs a service key with `api:call`. Only paths below Xero's API roots (`api.xro/` and the
    like) are reached. A token that Xero calls expired is renewed and the call repeated once;
    bodies over 1 MiB are streamed and not repeated, over 25 MiB they are refused.
    """
    body_limit.lift(request.scope)  # services/bodies.py has the limit of what passes on
    raw = request.scope["raw_path"].decode("latin-1").split("?", 1)[0]
    forwarded = Forwarded(
        method=request.method,
        path=raw.split(f"/bindings/{request.path_params['bindingId']}/api/", 1)[-1],
        query=request.scope["query_string"].decode("latin-1"),
        headers=tuple((k.lower(), v) for k, v in request.headers.items()),
        body=request.stream(),
        length=_declared_length(request),
    )
    try:
        async with AsyncExitStack() as stack:
            call = services.proxy.call(presented, bindingId, forwarded)
            return PassedOn(await stack.enter_async_context(call), stack.pop_all())
    except ClientDisconnect:
        return Response(status_code=CALLER_LEFT)


for method in METHODS:
    router.add_api_route(
        "/bindings/{bindingId}/api/{path:path}",
        call_xero,
        methods=[method],
        operation_id=f"callXero{method.capitalize()}",
        response_class=Response,
        responses={
            200: {"description": "What Xero answered."},
            "default": {"description": "Whatever Xero answered, with its status and media type."},
            **problems.responses(
                AuthError,
                ScopeRequired,
                OrgRequired,
                OrgMismatch,
                NotFound,
                ReauthorizationRequired,
                BindingSuspended,
                ForbiddenPath,
                BodyTooLarge,
                RateBudgetExhausted,
                ExternalAPIError,
                RateLimitError,
                XeroMisconfigured,
                ServiceBusy,
                UpstreamTimeout,
            ),
        },
        include_in_schema=method not in {"HEAD", "OPTIONS"},
    )


def _declared_length(request: Request) -> int | None:
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else None
