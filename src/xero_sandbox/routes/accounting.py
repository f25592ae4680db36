"""api.xero.com's accounting API: a few records, with Xero's checks in order (facts §1.10, §7)."""

import json
import uuid
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from xero_sandbox import accounting_data, scopes
from xero_sandbox.bearer_tokens import bearer_claims, missing_scope
from xero_sandbox.journal import JournalEntry
from xero_sandbox.model import Org
from xero_sandbox.problems import ApiProblem
from xero_sandbox.rate_limits import RateLimitStatus
from xero_sandbox.routes.dependencies import EntryDep, SandboxDep
from xero_sandbox.state import SandboxState
from xero_sandbox.webhook_events import EventOrder

router = APIRouter(prefix="/api", tags=["accounting"])

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


# Registered once per method, because each operation of the OpenAPI document needs its own id.
@router.get("/api.xro/2.0/{resource}", operation_id="readRecords")
@router.post("/api.xro/2.0/{resource}", operation_id="postRecords")
@router.put("/api.xro/2.0/{resource}", operation_id="putRecords")
async def resource(
    resource: str, request: Request, sandbox: SandboxDep, entry: EntryDep
) -> Response:
    """Read or add records of one kind."""
    claims = bearer_claims(request, sandbox)
    _check_scope(resource, request.method, claims, sandbox)
    org = _check_tenant(request, sandbox, claims)
    rate_limit = _check_rate(org, sandbox, entry)
    if rate_limit.problem:
        return Response(status_code=429, headers=_headers(rate_limit))
    if org.status == "offline":
        return PlainTextResponse("The Organisation is offline", 503, _headers(rate_limit))
    if resource not in accounting_data.SCOPES or (
        request.method != "GET" and resource not in accounting_data.WRITABLE
    ):
        raise ApiProblem(404, None, _headers(rate_limit))
    return await _records(resource, request, sandbox, org, rate_limit)


@router.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
async def anything_else(request: Request, sandbox: SandboxDep) -> Response:
    """Return 401 for an invalid token, else 404: the sandbox has no other paths."""
    bearer_claims(request, sandbox)
    raise ApiProblem(404, None)


def _check_scope(name: str, method: str, claims: dict[str, Any], sandbox: SandboxState) -> None:
    needed = accounting_data.SCOPES.get(name)
    if needed and not scopes.permits(
        set(claims["scope"]),
        needed,
        to_read=method == "GET",
        broad_in_force=sandbox.broad_scopes_in_force,
    ):
        raise missing_scope()


def _check_tenant(request: Request, sandbox: SandboxState, claims: dict[str, Any]) -> Org:
    tenant_id = request.headers.get("xero-tenant-id", "")
    connection = sandbox.connections.find(claims["xero_userid"], tenant_id)
    org = sandbox.directory.find_org(tenant_id)
    if connection is None or org is None or not org.admits(connection.user):
        left = str(sandbox.rate_limits.app_minute_left())
        raise ApiProblem(403, "AuthenticationUnsuccessful", {"x-appminlimit-remaining": left})
    return org


def _check_rate(org: Org, sandbox: SandboxState, entry: JournalEntry) -> RateLimitStatus:
    rate_limit = sandbox.rate_limits.acquire(org.tenant_id)
    if rate_limit.problem is None:
        entry.on_finish.append(lambda: sandbox.rate_limits.release(org.tenant_id))
    else:
        entry.outcome = f"limited: {rate_limit.problem}"
    return rate_limit


async def _records(
    name: str, request: Request, sandbox: SandboxState, org: Org, rate_limit: RateLimitStatus
) -> Response:
    if request.method == "GET":
        records = sandbox.accounting_data.read(org, name)
    else:
        try:
            sent = _parse_records(await request.body(), name)
        except ValueError as error:
            return PlainTextResponse(str(error), 400, _headers(rate_limit))
        records = sandbox.accounting_data.write(org, name, sent)
        sandbox.webhooks.emit(_events(name, org, sent, records))
    headers = _headers(rate_limit)
    plural = name if name.endswith("s") else f"{name}s"
    body = {
        "Id": headers["xero-correlation-id"],
        "Status": "OK",
        "ProviderName": sandbox.config.app_name,
        "DateTimeUTC": f"/Date({int(sandbox.clock.now() * 1000)})/",
        plural: records,
    }
    if "application/json" not in request.headers.get("accept", ""):
        return Response(_xml(body), 200, headers, "text/xml")
    text = json.dumps(body).replace('"/Date(', '"\\/Date(').replace(')/"', ')\\/"')
    return Response(text, 200, headers, "application/json")


def _parse_records(body: bytes, name: str) -> list[dict[str, Any]]:
    parsed = json.loads(body)
    records = parsed.get(name, [parsed]) if isinstance(parsed, dict) else parsed
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise ValueError(f"Send a list of {name}.")
    return records


def _events(
    name: str, org: Org, sent: list[dict[str, Any]], stored: list[dict[str, Any]]
) -> list[EventOrder]:
    """Return the webhook events of written records: UPDATE for those sent with an id."""
    record_id = accounting_data.WRITABLE[name]
    return [
        EventOrder(
            tenant_id=org.tenant_id,
            event_category=name.removesuffix("s").upper(),
            event_type="UPDATE" if record_id in before else "CREATE",
            resource_id=str(after[record_id]),
        )
        for before, after in zip(sent, stored, strict=True)
    ]


def _headers(rate_limit: RateLimitStatus) -> dict[str, str]:
    return {
        **rate_limit.headers(),
        "server": "nginx" if rate_limit.problem else "Kestrel",
        "xero-correlation-id": str(uuid.uuid4()),
    }


def _xml(body: dict[str, Any]) -> bytes:
    """Return the body as XML, for requests that do not accept JSON (facts §5)."""
    root = Element("Response")
    _append(root, body)
    document: bytes = tostring(root, encoding="utf-8")
    return document


def _append(parent: Element, body: dict[str, Any]) -> None:
    for name, value in body.items():
        child = SubElement(parent, name)
        if isinstance(value, list):
            for each in value:
                _append(SubElement(child, name.removesuffix("s")), each)
        elif isinstance(value, dict):
            _append(child, value)
        else:
            child.text = str(value)
