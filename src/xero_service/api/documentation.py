"""The OpenAPI document and a page that shows it, with every asset from this service."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from xero_service.api.problems import MEDIA_TYPE, SCHEMA, Problem
from xero_service.errors import Acts, FlowError, IntegrationError

DESCRIPTION = """
An organisation's admin connects Xero once and binds as many Xero organisations as the business
needs. From then on every internal service gets a live access token, or a ready API call, for a
binding, and never has to know that tokens expire.

**People** call with the session token of their sign-in. **Services** call with a service key
(`xsk_…`, made with `xero-service keys create`) and a `bindingId`; a key for all orgs names the
one that it acts for in `X-Org-Id`. Start with `issueToken` or `callXero`.

Every failure is `application/problem+json` (RFC 9457). Decide by its `code`; `detail` is written
for people. Quote `requestId`, which is also the header `X-Request-Id`, when you ask for help.

## Problem codes

Where time helps, repeat the same request after `Retry-After`. The others fail again until
whoever is named has acted.
"""
TAGS = [
    {"name": "connect", "description": "Consent at Xero: where a browser goes, and comes back."},
    {"name": "tenants", "description": "Which Xero organisations a consent reached."},
    {"name": "bindings", "description": "What is connected: look, refresh, disconnect."},
    {"name": "services", "description": "For internal services: a token, or a ready call."},
    {"name": "activity", "description": "What happened in an org: its audit events."},
    {"name": "operations", "description": "Alive, ready, and what to watch."},
]
WHO = {
    Acts.CALLER: "you: send something else",
    Acts.PERSON: "whoever is signed in",
    Acts.ADMIN: "an admin of the org, on the settings page",
    Acts.OPERATOR: "an operator of this service",
    Acts.TIME: "nobody",
}
# They take whatever is sent: a browser that comes back must land, a probe sends nothing.
NEVER_INVALID = {"finishConnection", "readiness"}
ASSETS = Path(fastapi_offline.__file__).parent / "static"
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Xero connection service: API</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """window.ui = SwaggerUIBundle({
  url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true,
});
"""


def install(app: FastAPI) -> None:
    """Serve the page, and make problems appear as what they are in the document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    # FastAPI's documented way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]
    app.mount("/docs/assets", StaticFiles(directory=ASSETS), name="docs-assets")
    app.add_route("/docs", _page, include_in_schema=False)
    app.add_route("/docs/start.js", _start, include_in_schema=False)


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        tags=TAGS,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    codes = {IntegrationError.code}
    for path in document["paths"].values():
        for operation in path.values():
            if operation["operationId"] in NEVER_INVALID:
                operation["responses"].pop("422", None)
            for answer in operation["responses"].values():
                codes.update(answer.get("x-codes", []))
                _mark_problem(answer)
    schemas = document["components"]["schemas"] | {"Problem": Problem.model_json_schema()}
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["info"]["description"] = f"{DESCRIPTION.strip()}\n\n{_problem_table(codes)}"
    return document


def _problem_table(codes: Collection[str]) -> str:
    """Write one line for each code that an answer can carry."""
    lines = ["| Status | Code | Meaning | Repeat | Who acts |", "|---|---|---|---|---|"]
    known = {error.code: error for error in _errors(IntegrationError) if error.code in codes}
    for error in sorted(known.values(), key=lambda each: (each.status, each.code)):
        repeat = "after `Retry-After`" if error.acts is Acts.TIME else "no"
        lines.append(
            f"| {error.status} | `{error.code}` | {error.title} | {repeat} | {WHO[error.acts]} |"
        )
    return "\n".join(lines)


def _errors(base: type[IntegrationError]) -> Iterator[type[IntegrationError]]:
    """Yield the errors that reach a caller as a problem; the first of a code speaks for it."""
    for kind in base.__subclasses__():
        if not issubclass(kind, FlowError):
            yield from _errors(kind)
    yield base


def _mark_problem(answer: dict[str, Any]) -> None:
    """Give a problem its codes as the values that they are."""
    content = answer.get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith("/HTTPValidationError"):
        answer["content"] = {MEDIA_TYPE: {"schema": SCHEMA}}
    elif MEDIA_TYPE in content:
        narrowed = {"properties": {"code": {"type": "string", "enum": answer.pop("x-codes")}}}
        answer["content"] = {MEDIA_TYPE: {"schema": {"allOf": [SCHEMA, narrowed]}}}


async def _page(_: Request) -> Response:
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": PAGE_CSP})


async def _start(_: Request) -> Response:
    return Response(START, media_type="text/javascript")
