"""Problem documents (RFC 9457) for every failure; they never repeat what the caller sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xero_service.api import examples
from xero_service.api.body_limit import MAX_BODY_BYTES
from xero_service.errors import (
    AdminRequired,
    AuthError,
    BindingSuspended,
    BodyTooLarge,
    ExternalAPIError,
    IntegrationError,
    InvalidRequest,
    NotFound,
    OrgMismatch,
    OrgRequired,
    RateBudgetExhausted,
    RateLimitError,
    ReauthorizationRequired,
    ScopeRequired,
    ServiceBusy,
    SessionPending,
    SignInUnavailable,
    XeroMisconfigured,
)
from xero_service.telemetry import logger

MEDIA_TYPE = "application/problem+json"
SCHEMA = {"$ref": "#/components/schemas/Problem"}  # documentation.py puts it there

# Errors that several routes declare, in the order of the document.
SESSION = (AuthError, SessionPending, OrgRequired)
MEMBER_OR_KEY = (*SESSION, OrgMismatch, ScopeRequired)
ADMIN_OR_KEY = (*SESSION, OrgMismatch, AdminRequired, ScopeRequired)
SERVICE_KEY = (AuthError, ScopeRequired, OrgRequired, OrgMismatch)
BINDING_IN_USE = (NotFound, ReauthorizationRequired, BindingSuspended)
XERO = (ExternalAPIError, RateLimitError, XeroMisconfigured)
SESSION_UNAVAILABLE = (ServiceBusy, SignInUnavailable)

log = logger(__name__)


class Problem(BaseModel):
    """What went wrong, for people (`detail`) and for programs (`code`)."""

    type: str = Field(
        description="A name for this kind of problem, made of its code.",
        examples=["urn:xero-service:problem:not_found"],
    )
    title: str = Field(
        description="The kind of problem in a few words, always the same for a code.",
        examples=["Not found"],
    )
    status: int = Field(description="The HTTP status of the answer.", examples=[404])
    detail: str = Field(
        description="What to do, or what went wrong this time, written for people.",
        examples=["Not found"],
    )
    code: str = Field(description="Stable; decide by this.", examples=["not_found"])
    requestId: str = Field(  # noqa: N815 - the name on the wire
        description="Also the header `X-Request-Id`; quote it when you ask for help.",
        examples=[examples.REQUEST_ID],
    )


def responses(*errors: type[IntegrationError]) -> dict[int | str, dict[str, Any]]:
    """Declare which errors a route answers with, by status, for the OpenAPI document.

    By reference, because FastAPI would build hundreds of validators when the service starts.
    """
    declared: dict[int | str, dict[str, Any]] = {}
    answered: list[type[IntegrationError]] = [*errors, InvalidRequest]
    for error in answered:
        entry = declared.setdefault(
            error.status, {"description": "", "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
        )
        codes = entry.setdefault("x-codes", [])
        if error.code not in codes:
            codes.append(error.code)
            entry["description"] = ", ".join(f"`{code}`" for code in codes)
    return declared


def install(app: FastAPI) -> None:
    """Install handlers that respond to every exception with a problem."""
    app.add_exception_handler(IntegrationError, _on_integration_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(UnhandledErrorMiddleware)


async def _on_integration_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, IntegrationError)  # noqa: S101 - registered for it
    return answer(request, error)


def answer(request: Request, error: IntegrationError) -> JSONResponse:
    """Return the response for one of our errors, with the headers that it needs."""
    if not error.operational or error.status >= 500:
        log.warning("request failed", problem=error.code, operational=error.operational)
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, error.retry_after))
    if isinstance(error, RateBudgetExhausted):
        # Xero's SDKs and their callers decide by this header whether to wait (facts §7).
        headers["X-Rate-Limit-Problem"] = error.problem
    if isinstance(error, AuthError) and error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(request, error.status, error.code, error.title, error.detail, headers)


def bad_request(request: Request, detail: str) -> JSONResponse:
    """Return the response for a request that a middleware refuses."""
    status = HTTPStatus.BAD_REQUEST
    return _answer(request, status, status.name.lower(), status.phrase, detail)


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    return _answer(
        request,
        InvalidRequest.status,
        InvalidRequest.code,
        InvalidRequest.title,
        f"Check these fields: {', '.join(_fields(error.errors()))}.",
    )


def _fields(found: Sequence[Any]) -> list[str]:
    """Return the places of the invalid fields.

    The name of an unknown field is the caller's text, so it is left out.
    """
    names = set()
    for each in found:
        known = each["type"] != "extra_forbidden"
        where = [str(part) for part in each["loc"] if isinstance(part, str)]
        names.add(".".join(where) if known else f"{where[0]} (unknown field)")
    return sorted(names)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # FastAPI raises it for a body that is not text.
        return answer(request, InvalidRequest("The body cannot be read."))
    if error.status_code == BodyTooLarge.status:
        return answer(request, BodyTooLarge(f"Send at most {MAX_BODY_BYTES // 1024} KiB."))
    status = HTTPStatus(error.status_code)
    code = status.name.lower()
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED and (allowed := _methods_of_path(request)):
        headers["Allow"] = ", ".join(sorted(allowed))
    return _answer(request, status, code, status.phrase, status.phrase, headers)


def _methods_of_path(request: Request) -> set[str]:
    """Return the methods of every route of this path (RFC 9110 §10.2.1).

    Starlette names those of the first route only.
    """
    return {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }


@dataclass(frozen=True, slots=True)
class UnhandledErrorMiddleware:
    """Responds 500 to an unexpected exception, without its text; cuts a response that has begun.

    It is the innermost middleware, so that this response too gets the request id and the security
    headers; Starlette's own handler is the outermost.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def send_and_record(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_and_record)
        except Exception:
            if scope["type"] != "http":
                raise
            log.exception("unexpected error")
            if started:
                return
            broken = IntegrationError()
            request = Request(scope)
            response = _answer(request, broken.status, broken.code, broken.title, broken.detail)
            await response(scope, receive, send)


def _answer(
    request: Request,
    status: int,
    code: str,
    title: str,
    detail: str,
    headers: Any = None,
) -> JSONResponse:
    problem = _problem(status, code, title, detail, request.scope.get("request_id", ""))
    return JSONResponse(
        problem.model_dump(),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def problem_of(error: IntegrationError, request_id: str) -> Problem:
    """Return the problem document of one of our errors."""
    return _problem(error.status, error.code, error.title, error.detail, request_id)


def _problem(status: int, code: str, title: str, detail: str, request_id: str) -> Problem:
    return Problem(
        type=f"urn:xero-service:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        requestId=request_id,
    )
