"""POST /bindings/{bindingId}/token: a live access token for an internal service."""

import re
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response
from starlette.routing import BaseRoute, Match
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
_PATH = r"/bindings/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/token"
_KEY = re.compile(rb"Bearer (xsk_[!-~]+)")
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


class ShortCut(BaseRoute):
    """Serves the usual request for a token by hand: a key, at most an org named, no body.

    The framework's way to the use case above takes longer than the use case with its round trip
    to the database (docs/benchmarks.md). A request that is unusual in any way does not match and
    is left to the route above, which is also the one that the API document describes.
    """

    def __init__(self, prefix: str) -> None:
        """Stand before the routes below `prefix`; logged and counted under the same name."""
        self.path = ROUTE
        self._path = re.compile(re.escape(prefix) + _PATH)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take the usual request and leave any other."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return Match.NONE, {}
        asked = self._path.fullmatch(scope["path"])
        presented = _usually_presented(scope) if asked else None
        if asked is None or presented is None:
            return Match.NONE, {}
        return Match.FULL, {"route": self, "asked": (presented, UUID(asked[1]))}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it; failures become problems where everybody's do."""
        presented, binding_id = scope["asked"]
        wired = wired_of(scope["app"])
        issued = await wired.issuing.token(presented, binding_id, min_validity=timedelta())
        body = _shown(issued).model_dump_json(by_alias=True)
        await Response(body, 200, NO_STORE, "application/json")(scope, receive, send)


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
        elif (name == b"content-length" and value != b"0") or name == b"transfer-encoding":
            return None
    return presented_in(scope, key, org_id) if key else None


def _shown(issued: Issued) -> IssuedToken:
    return IssuedToken(
        access_token=issued.access_token,
        expires_at=issued.expires_at,
        tenant_id=issued.tenant_id,
        binding_id=issued.binding_id,
    )
