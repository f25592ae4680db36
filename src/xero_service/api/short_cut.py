"""The short cut for what services ask most: a token, or a call, with a key and nothing unusual.

The framework's way to these routes takes longer than the use cases with their round trips to the
database (docs/benchmarks.md). A request that is unusual in any way goes that way, to the routes
that the API document describes.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from xero_service.api import problems
from xero_service.api.deps import ORG_ID_AT_MOST, presented_in, wired_of
from xero_service.errors import IntegrationError
from xero_service.services.access import Presented
from xero_service.wiring import Services

_BINDING_ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_KEY = re.compile(rb"Bearer (xsk_[!-~]+)")
_ORG_ID = re.compile(rb"[!-~]{0,%d}" % ORG_ID_AT_MOST)


@dataclass(frozen=True, slots=True)
class Way:
    """A route that can be taken short; `path` as it is declared: logs and metrics name it."""

    path: str
    methods: frozenset[str]
    takes_body: bool
    serve: Callable[[Services, Presented, UUID], ASGIApp]

    def pattern(self, prefix: str) -> re.Pattern[str]:
        """Return what a path below `prefix` looks like; its first group is the binding's id."""
        declared = re.escape(prefix + self.path)
        declared = declared.replace(re.escape("{bindingId}"), _BINDING_ID)
        return re.compile(declared.replace(re.escape("{path:anything}"), "(?s:.+)"))


class ShortCut:
    """Stands before the application and serves what is usual by hand."""

    def __init__(self, app: ASGIApp, *, prefix: str, ways: Sequence[Way]) -> None:
        """`prefix`: what the ways' routes are below."""
        self._app = app
        self._ways = [(way, way.pattern(prefix)) for way in ways]
        self._serve_or_fail = problems.Unexpected(self._serve)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the usual request and leave any other."""
        asked = self._asked(scope)
        if asked is None:
            await self._app(scope, receive, send)
            return
        scope["route"], *scope["asked"] = asked
        await self._serve_or_fail(scope, receive, send)

    def _asked(self, scope: Scope) -> tuple[Way, Presented, UUID] | None:
        if scope["type"] != "http":
            return None
        for way, pattern in self._ways:
            named = pattern.fullmatch(scope["path"])
            if named and scope["method"] in way.methods:
                presented = _usually_presented(scope, takes_body=way.takes_body)
                return (way, presented, UUID(named[1])) if presented else None
        return None

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        way: Way = scope["route"]
        try:
            await way.serve(wired_of(scope["app"]), *scope["asked"])(scope, receive, send)
        except IntegrationError as error:
            await problems.answer(Request(scope), error)(scope, receive, send)


def _usually_presented(scope: Scope, *, takes_body: bool) -> Presented | None:
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
        elif name == b"origin" or (
            not takes_body
            and (name == b"transfer-encoding" or (name == b"content-length" and value != b"0"))
        ):  # a browser's, which wants to know what it may do
            return None
    return presented_in(scope, key, org_id) if key else None
