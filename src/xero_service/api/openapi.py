"""The OpenAPI document: FastAPI's, extended by problems, headers, examples and links."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from xero_service.api import examples
from xero_service.api.problems import MEDIA_TYPE, SCHEMA, Problem
from xero_service.errors import (
    FlowError,
    HeadTooLarge,
    IntegrationError,
    MalformedRequest,
    RequestTimeout,
    ResolvedBy,
)

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

Where time helps, repeat the same request after `Retry-After`. The others fail again until the
party in the last column has acted.
"""
TAGS = [
    {"name": "connect", "description": "Consent at Xero: where a browser goes, and comes back."},
    {"name": "tenants", "description": "Which Xero organisations a consent reached."},
    {"name": "bindings", "description": "What is connected: look, refresh, disconnect."},
    {"name": "services", "description": "For internal services: a token, or a ready call."},
    {"name": "activity", "description": "What happened in an org: its audit events."},
    {"name": "events", "description": "What changed, for systems that must know."},
    {"name": "notices", "description": "Mail to people about their connections."},
    {"name": "operations", "description": "Alive, ready, and what to watch."},
]
WHO = {
    ResolvedBy.CALLER: "you: send something else",
    ResolvedBy.PERSON: "the signed-in person",
    ResolvedBy.ADMIN: "an admin of the org, on the settings page",
    ResolvedBy.OPERATOR: "an operator of this service",
    ResolvedBy.TIME: "nobody",
}
# They never answer 422: the callback always redirects, a probe sends nothing, and a webhook that
# cannot be read is 400.
NEVER_INVALID = {"finishConnection", "readiness", "receiveXeroWebhook"}
# From unexpected failures, and from api/http_protocol.py before the route is known.
OF_EVERY_OPERATION = (IntegrationError, MalformedRequest, RequestTimeout, HeadTooLarge)
# FastAPI's schemas of 422, which this service does not use.
UNUSED = ("HTTPValidationError", "ValidationError")
# Links: which field of a response is a parameter of the next operation, by operation and status.
ONE_BINDING = {"issueToken": {"parameters": {"bindingId": "$response.body#/id"}}}
LINKS = {
    ("listBindings", "200"): {
        "issueToken": {"parameters": {"bindingId": "$response.body#/bindings/0/id"}},
        "callXeroGet": {"parameters": {"bindingId": "$response.body#/bindings/0/id"}},
    },
    ("listTenants", "200"): {
        "selectTenant": {
            "requestBody": {
                "grantId": "$response.body#/grantId",
                "tenantId": "$response.body#/tenants/0/tenantId",
            }
        }
    },
    ("selectTenant", "200"): ONE_BINDING,
    ("selectTenant", "201"): ONE_BINDING,
    ("listEvents", "200"): {"listEvents": {"parameters": {"after": "$response.body#/next"}}},
    ("listActivity", "200"): {"listActivity": {"parameters": {"after": "$response.body#/next"}}},
}
Node = dict[str, Any]


def document(app: FastAPI) -> Node:
    """Return the whole document of an application."""
    found = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        tags=TAGS,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    schemas = found["components"]["schemas"] | {"Problem": Problem.model_json_schema()}
    for name in UNUSED:
        schemas.pop(name, None)
    codes = {error.code for error in OF_EVERY_OPERATION}
    for operation in _operations(found):
        if operation["operationId"] in NEVER_INVALID:
            operation["responses"].pop("422", None)
        for status, answer in operation["responses"].items():
            codes.update(_complete_answer(status, answer, examples.details(operation)))
        _complete_operation(operation, schemas)
    found["components"]["schemas"] = dict(sorted(schemas.items()))
    found["info"]["description"] = f"{DESCRIPTION.strip()}\n\n{_problem_table(codes)}"
    return found


def _operations(found: Node) -> Iterator[Node]:
    for methods in found["paths"].values():
        yield from methods.values()


# --- Problems ------------------------------------------------------------------------------


def _problem_table(codes: Collection[str]) -> str:
    """Return a Markdown table with one row for each code."""
    lines = ["| Status | Code | Meaning | Repeat | Who acts |", "|---|---|---|---|---|"]
    known = {error.code: error for error in _errors(IntegrationError) if error.code in codes}
    for error in sorted(known.values(), key=lambda each: (each.status, each.code)):
        repeat = "after `Retry-After`" if error.resolved_by is ResolvedBy.TIME else "no"
        who = WHO[error.resolved_by]
        lines.append(f"| {error.status} | `{error.code}` | {error.title} | {repeat} | {who} |")
    return "\n".join(lines)


def _errors(base: type[IntegrationError]) -> Iterator[type[IntegrationError]]:
    """Yield the classes of errors that become problems, subclasses before their base."""
    for kind in base.__subclasses__():
        if not issubclass(kind, FlowError):
            yield from _errors(kind)
    yield base


def _complete_answer(status: str, answer: Node, details: Mapping[str, str]) -> list[str]:
    """Add headers, and to a problem its codes with an example of each; return the codes."""
    headers = {"X-Request-Id": examples.HEADERS["X-Request-Id"]} | answer.get("headers", {})
    answer["headers"] = headers
    codes: list[str] = answer.pop("x-codes", [])
    if not codes:
        return []
    known = {error.code: error for error in _errors(IntegrationError)}
    problems = {code: _problem(known[code], details.get(code)) for code in codes}
    narrowed = {
        "properties": {
            "status": {"const": int(status)},
            "code": {"type": "string", "enum": codes},
        }
    }
    answer["content"] = {
        MEDIA_TYPE: {"schema": {"allOf": [SCHEMA, narrowed]}, "examples": problems}
    }
    if status == "401":
        headers["WWW-Authenticate"] = examples.HEADERS["WWW-Authenticate"]
    if any("Retry-After" in problem.get("description", "") for problem in problems.values()):
        headers["Retry-After"] = examples.HEADERS["Retry-After"]
    if status == "429":
        headers["X-Rate-Limit-Problem"] = examples.HEADERS["X-Rate-Limit-Problem"]
    return codes


def _problem(kind: type[IntegrationError], detail: str | None) -> Node:
    """Return the example of a problem; its description names the headers."""
    error = kind(detail)
    value = Problem(
        type=f"urn:xero-service:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        requestId=examples.REQUEST_ID,
    )
    example: Node = {"summary": error.title, "value": value.model_dump()}
    seconds = examples.RETRY_AFTER.get(error.code, error.retry_after)
    if seconds is not None:
        example["description"] = f"With the header `Retry-After: {seconds}`."
    return example


# --- Everything else -------------------------------------------------------------------------


def _complete_operation(operation: Node, schemas: Mapping[str, Node]) -> None:
    """Add examples to the parameters and bodies of an operation, and links to its responses."""
    name = operation["operationId"]
    for parameter in operation.get("parameters", []):
        parameter["example"] = examples.of(parameter["schema"], schemas)
        if name in examples.PATHS_OF_XERO and parameter["name"] == "path":
            parameter["example"] = examples.PATHS_OF_XERO[name]
    if name.startswith("callXero"):
        _complete_call(operation)
    if name == "finishConnection":
        operation["security"].append({})  # an expired session does not prevent the callback
    for status, headers in examples.LANDINGS.get(name, {}).items():
        operation["responses"][status]["headers"] |= headers
    for status, answer in operation["responses"].items():
        if following := LINKS.get((name, status)):
            answer["links"] = {
                each: {"operationId": each, **given} for each, given in following.items()
            }
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for media, content in body.get("content", {}).items():
            if "examples" not in content:
                named = _body_examples(media, content, schemas)
                content["examples"] = {key: {"value": value} for key, value in named.items()}


def _body_examples(media: str, content: Node, schemas: Mapping[str, Node]) -> dict[str, Any]:
    if media == "text/plain":
        return {"metrics": examples.METRICS}
    schema = content["schema"]
    named = examples.NAMED.get(schema.get("$ref", "").rpartition("/")[2], {})
    return {"usual": examples.of(schema, schemas), **named}


def _complete_call(operation: Node) -> None:
    """Describe the request to Xero and its response, which pass unchanged."""
    anything = {"description": "Whatever Xero's API takes or gives; most of it is an object."}
    operation["responses"]["200"]["content"] = {
        "application/json": {
            "schema": anything,
            "examples": {"organisation": {"value": examples.ORGANISATION_OF_XERO}},
        }
    }
    for status, answer in operation["responses"].items():
        answer["headers"] |= examples.OF_XERO
        if MEDIA_TYPE in answer.get("content", {}):
            # Xero may respond with any status, and never with a problem of ours.
            sample = {"xero": {"summary": "Xero's own answer", "value": examples.of_xero(status)}}
            answer["content"]["*/*"] = {"schema": anything, "examples": sample}
            answer["description"] += "; or Xero's own answer, of another media type"
    if operation["operationId"] in {"callXeroPost", "callXeroPut", "callXeroPatch"}:
        operation["requestBody"] = {
            "description": "Sent to Xero as it is; of any media type, up to 25 MiB.",
            "content": {
                "application/json": {
                    "schema": anything,
                    "examples": {"contact": {"value": examples.CONTACT_TO_XERO}},
                }
            },
        }
