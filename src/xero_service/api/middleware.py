"""Middleware of every request: request id, access log, metrics and security headers."""

import os
import re
import time
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from xero_service.api.source import source_of
from xero_service.telemetry import AccessLog, Metrics, request_record, scrub
from xero_service.telemetry.request_record import RequestRecord

REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
API_CSP = "default-src 'none'; frame-ancestors 'none'"
BROWSER_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", API_CSP.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-site"),
)
HSTS = "max-age=63072000; includeSubDomains"
_ID = b"x-request-id"
_CUT_BY = "xero_service.cut_by"


class CutBy(StrEnum):
    """The side that cut a response after its status was sent."""

    CALLER = "caller"
    XERO = "xero"
    SERVICE = "service"


def note_cut(scope: Scope, by: CutBy) -> None:
    """Record which side cut the response of this request.

    The server closes the caller's connection; the access log and the metrics record the side
    beside the status, which the caller has received.
    """
    scope[_CUT_BY] = by


@dataclass(frozen=True, slots=True)
class RequestLogMiddleware:
    """Assigns the request id, and logs and counts the response; never logs the query.

    A route is named by its declared path, without the `prefix` of the API.
    """

    app: ASGIApp
    metrics: Metrics
    prefix: str
    log: AccessLog = field(default_factory=AccessLog)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        offered = _offered_id(scope)
        scope["request_id"] = request_id = offered or os.urandom(16).hex()
        began, status = time.perf_counter(), 500
        is_cut = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, is_cut
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [header for header in message["headers"] if header[0] != _ID]
                message["headers"] = [*headers, (_ID, request_id.encode())]
                is_cut = True
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                is_cut = False

        record = RequestRecord()
        recorded = request_record.current.set(record)
        bound = bind_contextvars(request_id=request_id)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            known_as = scrub(offered) if offered else request_id
            cut_by = scope.get(_CUT_BY, CutBy.SERVICE) if is_cut else None
            seconds = time.perf_counter() - began
            self._record(scope, status, seconds, known_as, record, cut_by)
            reset_contextvars(**bound)
            request_record.current.reset(recorded)

    def _record(
        self,
        scope: Scope,
        status: int,
        seconds: float,
        request_id: str,
        record: RequestRecord,
        cut_by: CutBy | None,
    ) -> None:
        route = getattr(scope.get("route"), "path", "unmatched").removeprefix(self.prefix)
        # Callers may invent methods, and the process keeps every label value.
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.metrics.answered(method, route, status, seconds)
        if cut_by is not None:
            self.metrics.cut.labels(cut_by).inc()
        if record.is_key and record.caller:
            self.metrics.keys.answered(record.caller, status)
        self.log.write(
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            request_id=request_id,
            source=source_of(scope),
            record=record,
            cut_by=cut_by,
        )


def _offered_id(scope: Scope) -> str | None:
    """Return the request id that the caller sent, or None unless it is well-formed."""
    for name, value in scope["headers"]:
        if name == _ID:
            offered = value.decode("latin-1")
            return offered if REQUEST_ID.fullmatch(offered) else None
    return None


class SecurityHeaders:
    """Adds the headers of ASVS 3.4, except those that the route sets.

    Below `/api/` every response is `no-store`, because it is meant for one caller only.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        """`https`: also send HSTS."""
        self._app = app
        self._headers = list(BROWSER_HEADERS)
        if https:
            self._headers.append((b"strict-transport-security", HSTS.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        is_api = scope["path"].startswith("/api/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = {name for name, _ in message["headers"]}
                missing = [header for header in self._headers if header[0] not in sent]
                message["headers"] = [*message["headers"], *missing]
                if is_api:
                    _forbid_storing(message)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _forbid_storing(start: Message) -> None:
    others = [header for header in start["headers"] if header[0].lower() != b"cache-control"]
    start["headers"] = [*others, (b"cache-control", b"no-store")]
