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
LEFT_UNANSWERED = 499  # nobody reads it; in the access log it tells who ended the request
WITHOUT_BODY = frozenset({204, 304})
XERO_PATH = Path(
    description="The path at Xero, below one of its API roots; a query is passed on, too.",
    examples=["api.xro/2.0/Organisation"],
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class _Anything(Convertor[str]):
    """Any path, one with line breaks too: the proxy itself refuses those, and says why."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """Return it as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Return it as it is."""
        return value


register_url_convertor("anything", _Anything())


class CallerLeft(Exception):
    """Nobody reads the answer any more."""


class ProxiedCall(Response):
    """The answer of Xero to a call for one binding; the call ends when its caller leaves."""

    def __init__(
        self, services: Services, credentials: ServiceCredentials, binding_id: UUID
    ) -> None:
        """`credentials`: the key of the caller, who is let through or refused by the call."""
        super().__init__()
        self._services, self._presented, self._binding_id = services, credentials, binding_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back as it arrives.

        An answer that has begun cannot become another: where it breaks off, so does the caller's.
        """
        body_limit.exempt(scope)  # services/proxy/bodies.py has the limit of what passes on
        forwarded = _forwarded(scope, receive)
        call = self._services.proxy.call(self._presented, self._binding_id, forwarded)
        has_begun = False
        try:
            async with call as answer, nullcontext() if answer.is_here else _unless_left(receive):
                has_begun = True
                await _pass_on(answer, send)
        except (CallerLeft, ClientDisconnect):
            if has_begun:
                note_cut(scope, CutBy.CALLER)
            else:
                await Response(status_code=LEFT_UNANSWERED)(scope, receive, send)
        except IntegrationError as error:
            if not has_begun:
                raise
            note_cut(scope, CutBy.XERO)
            log.warning("answer cut", problem=error.code)


def _forwarded(scope: Scope, receive: Receive) -> ProxyRequest:
    raw = scope["raw_path"].decode("latin-1").split("?", 1)[0]
    headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"])
    declared = dict(headers).get("content-length", "")
    return ProxyRequest(
        method=scope["method"],
        # However the id between them is spelled.
        path=raw.partition("/bindings/")[2].partition("/api/")[2],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=Request(scope, receive).stream(),
        length=int(declared) if declared.isdecimal() else None,
    )


async def _pass_on(answer: StreamedResponse, send: Send) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in answer.headers
        # The server would wait for so many bytes.
        if name != "content-length" or answer.status not in WITHOUT_BODY
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for piece in answer.body:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def _unless_left(receive: Receive) -> AsyncIterator[None]:
    """Raise CallerLeft in the block when the caller leaves.

    Nothing else may read `receive` meanwhile: the answer of `ProxyService.call` comes once the
    body is not read any more. What still comes of a refused body is dropped here.

    As the framework's streaming does, at a tenth of its price: a group of tasks for each answer.
    """
    passing = asyncio.current_task()
    assert passing is not None  # noqa: S101 - this runs in one
    is_passing = True

    def stop(listening: asyncio.Task[None]) -> None:
        if is_passing and not listening.cancelled():
            passing.cancel()

    listening = asyncio.create_task(_left(receive))
    listening.add_done_callback(stop)
    try:
        yield
    except asyncio.CancelledError:
        if listening.done() and passing.uncancel() == 0:
            raise CallerLeft from None
        raise
    finally:
        is_passing = False
        listening.cancel()


async def _left(receive: Receive) -> None:
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
