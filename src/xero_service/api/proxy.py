"""ANY /bindings/{bindingId}/api/{path}: Xero's API with a live token added."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from xero_service.api import body_limit, problems
from xero_service.api.application import PREFIX
from xero_service.api.deps import BindingPath, ServicesDep
from xero_service.api.key_auth import CredentialsDep
from xero_service.api.middleware import CutBy, note_cut
from xero_service.api.service_route import ServiceRoute
from xero_service.errors import (
    BodyTooLarge,
    ForbiddenPath,
    IntegrationError,
    PermissionMissing,
    RateBudgetExhausted,
    ServiceBusy,
    UpstreamTimeout,
)
from xero_service.services.proxy.service import ProxyRequest
from xero_service.services.service_keys.authorization import ServiceCredentials
from xero_service.telemetry import logger
from xero_service.wiring import Services
from xero_service.xero.http import StreamedResponse

router = APIRouter(prefix=PREFIX, tags=["services"], route_class=ServiceRoute)
log = logger(__name__)
ROUTE = "/bindings/{bindingId}/api/{path:anything}"
CLIENT_CLOSED_REQUEST = 499  # nginx's status for the access log; the caller does not read it
WITHOUT_BODY = frozenset({204, 304})
XERO_PATH = Path(
    description="The path at Xero, below one of its API roots; a query is passed on, too.",
    examples=["api.xro/2.0/Organisation"],
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class _Anything(Convertor[str]):
    """Any path, even one with line breaks, which the proxy refuses with a reason."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """Return it as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Return it as it is."""
        return value


register_url_convertor("anything", _Anything())


class CallerLeft(Exception):
    """The caller closed the connection."""


class ProxiedCall(Response):
    """Streams Xero's response to a call for one binding; ends the call when its caller leaves."""

    def __init__(
        self, services: Services, credentials: ServiceCredentials, binding_id: UUID
    ) -> None:
        """`credentials`: the caller's key; the call itself authorizes it."""
        super().__init__()
        self._services, self._credentials, self._binding_id = services, credentials, binding_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, and send Xero's response as it arrives.

        A failure after the status was sent cannot become a problem: the response is cut.
        """
        body_limit.exempt(scope)  # services/proxy/bodies.py limits forwarded bodies
        forwarded = _proxy_request(scope, receive)
        call = self._services.proxy.call(self._credentials, self._binding_id, forwarded)
        has_begun = False
        try:
            async with (
                call as answer,
                nullcontext() if answer.is_here else _until_caller_leaves(receive),
            ):
                has_begun = True
                await _send(answer, send)
        except (CallerLeft, ClientDisconnect):
            if has_begun:
                note_cut(scope, CutBy.CALLER)
            else:
                await Response(status_code=CLIENT_CLOSED_REQUEST)(scope, receive, send)
        except IntegrationError as error:
            if not has_begun:
                raise
            note_cut(scope, CutBy.XERO)
            log.warning("answer cut", problem=error.code)


def _proxy_request(scope: Scope, receive: Receive) -> ProxyRequest:
    raw = scope["raw_path"].decode("latin-1").split("?", 1)[0]
    headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"])
    declared = dict(headers).get("content-length", "")
    return ProxyRequest(
        method=scope["method"],
        # Works for every spelling of the id between them.
        path=raw.partition("/bindings/")[2].partition("/api/")[2],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=Request(scope, receive).stream(),
        length=int(declared) if declared.isdecimal() else None,
    )


async def _send(answer: StreamedResponse, send: Send) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in answer.headers
        # Without a body the server would wait for these bytes.
        if name != "content-length" or answer.status not in WITHOUT_BODY
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for piece in answer.body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def _until_caller_leaves(receive: Receive) -> AsyncIterator[None]:
    """Cancel the block and raise CallerLeft when the caller leaves.

    Nothing else may read `receive` meanwhile: `ProxyService.call` yields once it reads the body no
    more. The rest of a refused body is discarded here.

    Starlette's streaming does the same with a task group for each response, at ten times the cost.
    """
    block = asyncio.current_task()
    assert block is not None  # noqa: S101 - this runs in one
    is_inside = True

    def stop(listening: asyncio.Task[None]) -> None:
        if is_inside and not listening.cancelled():
            block.cancel()

    listening = asyncio.create_task(_await_disconnect(receive))
    listening.add_done_callback(stop)
    try:
        yield
    except asyncio.CancelledError:
        if listening.done() and block.uncancel() == 0:
            raise CallerLeft from None
        raise
    finally:
        is_inside = False
        listening.cancel()


async def _await_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def call_xero(
    bindingId: BindingPath,  # noqa: N803 - the name in the contract
    path: Annotated[str, XERO_PATH],  # noqa: ARG001 - the raw path is what is sent
    services: ServicesDep,
    credentials: CredentialsDep,
) -> Response:
    """Call Xero's API for one binding: the answer is Xero's own, status and rate limits included.

    Who: a service key with `api:call`. Only paths below Xero's API roots (`api.xro/` and the
    like) are reached. A token that Xero calls expired is renewed and the call repeated once;
    bodies over 1 MiB are streamed and not repeated, over 25 MiB they are refused.
    """
    return ProxiedCall(services, credentials, bindingId)


for method in METHODS:
    router.add_api_route(
        ROUTE,
        call_xero,
        methods=[method],
        operation_id=f"callXero{method.capitalize()}",
        summary=f"Call Xero's API with {method}",
        response_class=Response,
        responses={
            200: {"description": "What Xero answered."},
            "default": {"description": "Whatever Xero answered, with its status and media type."},
            **problems.responses(
                *problems.SERVICE_KEY,
                *problems.BINDING_IN_USE,
                PermissionMissing,
                ForbiddenPath,
                BodyTooLarge,
                RateBudgetExhausted,
                *problems.XERO,
                ServiceBusy,
                UpstreamTimeout,
            ),
        },
        include_in_schema=method not in {"HEAD", "OPTIONS"},
    )
