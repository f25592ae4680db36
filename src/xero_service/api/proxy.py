"""ANY /bindings/{bindingId}/api/{path}: Xero's API with a live token added."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from xero_service.api import problems
from xero_service.api.deps import KeyText, OrgHeader, ServicesDep
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

router = APIRouter(tags=["services"])
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
LARGEST_BODY = 25 * 1024 * 1024  # Xero takes attachments of up to 25 MB
REPLAYED_BODY = 1024 * 1024  # what is kept, so that it can be sent again after a refresh


async def call_xero(
    bindingId: UUID,  # noqa: N803 - the name in the contract
    path: str,  # noqa: ARG001 - the raw path is what is sent
    request: Request,
    services: ServicesDep,
    key: KeyText,
    org_id: OrgHeader = None,
) -> Response:
    """Call Xero's API for one binding: the answer is Xero's own, status and rate limits included.

    Needs a service key with `api:call`. Only paths below Xero's API roots (`api.xro/` and the
    like) are reached. A token that Xero calls expired is renewed and the call repeated once;
    bodies over 1 MiB are streamed and not repeated, over 25 MiB they are refused.
    """
    raw = request.scope["raw_path"].decode("latin-1").split("?", 1)[0]
    forwarded = Forwarded(
        method=request.method,
        path=raw.split(f"/bindings/{request.path_params['bindingId']}/api/", 1)[-1],
        query=request.scope["query_string"].decode("latin-1"),
        headers=tuple((k.lower(), v) for k, v in request.headers.items()),
        body=await _body(request),
        length=_declared_length(request),
    )
    async with AsyncExitStack() as stack:
        answer = await stack.enter_async_context(
            services.proxy.call(key, org_id, bindingId, forwarded)
        )
        closing = stack.pop_all()
    return _streamed(answer.status, answer.headers, answer.body, closing)


for method in METHODS:
    router.add_api_route(
        "/bindings/{bindingId}/api/{path:path}",
        call_xero,
        methods=[method],
        operation_id=f"callXero{method.capitalize()}",
        response_class=Response,
        responses={
            200: {"description": "Whatever Xero answered, with its status."},
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
        include_in_schema=method != "HEAD",
    )


def _declared_length(request: Request) -> int | None:
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else None


async def _body(request: Request) -> bytes | AsyncIterator[bytes]:
    """Return a small body whole, a larger one as a stream; raises BodyTooLarge."""
    if (_declared_length(request) or 0) > LARGEST_BODY:
        raise BodyTooLarge("Send at most 25 MiB.")
    parts = aiter(request.stream())
    read = bytearray()
    async for part in parts:
        read += part
        if len(read) > REPLAYED_BODY:
            return _rest(bytes(read), parts)
    return bytes(read)


async def _rest(read: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    sent = len(read)
    yield read
    async for part in parts:
        sent += len(part)
        if sent > LARGEST_BODY:
            raise BodyTooLarge("Send at most 25 MiB.")
        yield part


def _streamed(
    status: int,
    headers: tuple[tuple[str, str], ...],
    body: AsyncIterator[bytes],
    closing: AsyncExitStack,
) -> Response:
    """Pass an answer on as it arrives, and end the call when it has passed or the caller left."""

    async def passed_on() -> AsyncIterator[bytes]:
        async with closing:
            async for part in body:
                yield part

    response = StreamingResponse(passed_on(), status)
    response.raw_headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers]
    return response
