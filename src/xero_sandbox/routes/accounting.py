"""api.xero.com's accounting API: a few records behind exactly Xero's checks (facts 1.10, 7)."""

import json
import uuid
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from xero_sandbox import ledgers, scopes
from xero_sandbox.journal import Entry
from xero_sandbox.limits import Allowance
from xero_sandbox.model import Org
from xero_sandbox.problems import ApiProblem, bearer_claims, missing_scope
from xero_sandbox.routes.inside import EntryDep, WorldDep
from xero_sandbox.world import World

router = APIRouter(prefix="/api", tags=["accounting"])

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


# One registration a method: an operation of the API document has one id.
@router.get("/api.xro/2.0/{resource}", operation_id="readRecords")
@router.post("/api.xro/2.0/{resource}", operation_id="postRecords")
@router.put("/api.xro/2.0/{resource}", operation_id="putRecords")
async def resource(resource: str, request: Request, world: WorldDep, entry: EntryDep) -> Response:
    """Read or add records of one kind."""
    claims = bearer_claims(request, world)
    _check_scope(resource, request.method, claims)
    org = _check_tenant(request, world, claims)
    allowance = _check_rate(org, world, entry)
    if allowance.problem:
        return Response(status_code=429, headers=_headers(allowance))
    if org.status == "offline":
        return PlainTextResponse("The Organisation is offline", 503, _headers(allowance))
    if resource not in ledgers.SCOPES or (
        request.method != "GET" and resource not in ledgers.WRITABLE
    ):
        raise ApiProblem(404, None, _headers(allowance))
    return await _records(resource, request, world, org, allowance)


@router.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
async def anything_else(request: Request, world: WorldDep) -> Response:
    """Check the token first, as everywhere, and then find nothing."""
    bearer_claims(request, world)
    raise ApiProblem(404, None)


def _check_scope(name: str, method: str, claims: dict[str, Any]) -> None:
    needed = ledgers.SCOPES.get(name)
    if needed and not scopes.suffices(set(claims["scope"]), needed, to_read=method == "GET"):
        raise missing_scope()


def _check_tenant(request: Request, world: World, claims: dict[str, Any]) -> Org:
    tenant_id = request.headers.get("xero-tenant-id", "")
    connection = world.connections.find(claims["xero_userid"], tenant_id)
    org = world.registry.find_org(tenant_id)
    if connection is None or org is None or not org.admits(connection.user):
        left = str(world.limits.app_minute_left())
        raise ApiProblem(403, "AuthenticationUnsuccessful", {"x-appminlimit-remaining": left})
    return org


def _check_rate(org: Org, world: World, entry: Entry) -> Allowance:
    allowance = world.limits.admit(org.tenant_id)
    if allowance.problem is None:
        entry.on_finish.append(lambda: world.limits.finish(org.tenant_id))
    else:
        entry.outcome = f"limited: {allowance.problem}"
    return allowance


async def _records(
    name: str, request: Request, world: World, org: Org, allowance: Allowance
) -> Response:
    if request.method == "GET":
        records = world.ledgers.read(org, name)
    else:
        try:
            records = world.ledgers.write(org, name, _posted(await request.body(), name))
        except ValueError as error:
            return PlainTextResponse(str(error), 400, _headers(allowance))
    headers = _headers(allowance)
    plural = name if name.endswith("s") else f"{name}s"
    body = {
        "Id": headers["xero-correlation-id"],
        "Status": "OK",
        "ProviderName": world.config.app_name,
        "DateTimeUTC": f"/Date({int(world.clock.now() * 1000)})/",
        plural: records,
    }
    if "application/json" not in request.headers.get("accept", ""):
        return Response(_xml(body), 200, headers, "text/xml")
    text = json.dumps(body).replace('"/Date(', '"\\/Date(').replace(')/"', ')\\/"')
    return Response(text, 200, headers, "application/json")


def _posted(body: bytes, name: str) -> list[dict[str, Any]]:
    found = json.loads(body)
    records = found.get(name, [found]) if isinstance(found, dict) else found
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise ValueError(f"Send a list of {name}.")
    return records


def _headers(allowance: Allowance) -> dict[str, str]:
    return {
        **allowance.headers(),
        "server": "nginx" if allowance.problem else "Kestrel",
        "xero-correlation-id": str(uuid.uuid4()),
    }


def _xml(body: dict[str, Any]) -> bytes:
    """Write the XML that comes when nobody asked for JSON (facts 5)."""
    root = Element("Response")
    _fill(root, body)
    document: bytes = tostring(root, encoding="utf-8")
    return document


def _fill(parent: Element, body: dict[str, Any]) -> None:
    for name, value in body.items():
        child = SubElement(parent, name)
        if isinstance(value, list):
            for each in value:
                _fill(SubElement(child, name.removesuffix("s")), each)
        elif isinstance(value, dict):
            _fill(child, value)
        else:
            child.text = str(value)
