"""POST /bindings/{bindingId}/token: a live access token for an internal service."""

import re
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response
from starlette.types import ASGIApp as Application
from starlette.types import Receive, Scope, Send

from xero_service.api import problems
from xero_service.api.deps import (
    ORG_ID_AT_MOST,
    PresentedDep,
    ServicesDep,
    presented_in,
    wired_of,
)
from xero_service.api.schemas import IssuedToken, TokenRequest
from xero_service.errors import (
    AuthError,
    BindingSuspended,
    BodyTooLarge,
    ExternalAPIError,
    GrantShared,
    IntegrationError,
    NotFound,
    OrgMismatch,
    OrgRequired,
    RateLimitError,
    ReauthorizationRequired,
    ScopeRequired,
    ServiceBusy,
    XeroMisconfigured,
)
from xero_service.services.access import Presented
from xero_service.services.issuing import IssuedToken as Issued

ROUTE = "/bindings/{bindingId}/token"
NO_STORE = {"Cache-Control": "no-store"}
_HEADERS = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
_PATH = r"/bindings/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/token"
_KEY = re.compile(rb"Bearer (xsk_[!-~]+)")
_UNUSUAL = frozenset({b"transfer-encoding", b"origin"})
_ORG_ID = re.compile(rb"[!-~]{0,%d}" % ORG_ID_AT_MOST)

router = APIRouter(tags=["services"])


@router.post(
    ROUTE,
    operation_id="issueToken",
    responses=problems.responses(
        AuthError,
        ScopeRequired,
        OrgRequired,
        OrgMismatch,
        NotFound,
        ReauthorizationRequired,
        BindingSuspended,
        GrantShared,
        BodyTooLarge,
        ExternalAPIError,
        RateLimitError,
        XeroMisconfigured,
        ServiceBusy,
    ),
)
async def issue_token(
    bindingId: UUID,  # noqa: N803 - the name in the contract
    presented: PresentedDep,
    services: ServicesDep,
    response: Response,
    wish: Annotated[TokenRequest | None, Body()] = None,
) -> IssuedToken:
    """Get an access token that works now, for one binding's Xero organisation.

    Needs a service key with `tokens:read`. 409 where only a person can help, 503 with
    Retry-After where time can.
    """
    issued = await services.issuing.token(
        presented,
        bindingId,
        min_validity=timedelta(seconds=wish.min_validity_seconds if wish else 0),
    )
    response.headers.update(NO_STORE)
    return _shown(issued)


class ShortCut:
    """Serves the usual request for a token by hand: a key, at most an org named, no body.

    The framework's way to the use case above takes longer than the use case with its round trip
    to the database (docs/benchmarks.md). A request that is unusual in any way goes that way, to
    the route above, which is also the one that the API document describes.
    """

    path = ROUTE  # logged and counted under the same name

    def __init__(self, app: Application, *, prefix: str) -> None:
        """Stand before `app`, whose route above is below `prefix`."""
        self._app = app
        self._path = re.compile(re.escape(prefix) + _PATH)
        self._serve_or_fail = problems.Unexpected(self._serve)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the usual request and leave any other."""
        asked = self._asked(scope)
        if asked is None:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["asked"] = self, asked
        await self._serve_or_fail(scope, receive, send)

    def _asked(self, scope: Scope) -> tuple[Presented, UUID] | None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        named = self._path.fullmatch(scope["path"])
        presented = _usually_presented(scope) if named else None
        return (presented, UUID(named[1])) if named and presented else None

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        presented, binding_id = scope["asked"]
        issuing = wired_of(scope["app"]).issuing
        try:
            issued = await issuing.token(presented, binding_id, min_validity=timedelta())
        except IntegrationError as error:
            await problems.answer(Request(scope), error)(scope, receive, send)
            return
        body = _shown(issued).model_dump_json(by_alias=True).encode()
        headers = [*_HEADERS, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _usually_presented(scope: Scope) -> Presented | None:
    key = org_id = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            usual = _KEY.fullmatch(value)
            if key is not None or usual is None:
                return None
            key = usual[1].decode()
        elif name == b"x-org-id":
            if org_id is not None or not _ORG_ID.fullmatch(value):
                return None
            org_id = value.decode()
        elif name in _UNUSUAL or (name == b"content-length" and value != b"0"):
            return None
    return presented_in(scope, key, org_id) if key else None


def _shown(issued: Issued) -> IssuedToken:
    return IssuedToken(
        access_token=issued.access_token,
        expires_at=issued.expires_at,
        tenant_id=issued.tenant_id,
        binding_id=issued.binding_id,
    )
