"""api.xero.com/connections: the tenants that a user connected (facts §1.11, §5)."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from xero_sandbox.bearer_tokens import bearer_claims, missing_scope
from xero_sandbox.clock import to_datetime
from xero_sandbox.model import Connection
from xero_sandbox.problems import ApiProblem
from xero_sandbox.routes.dependencies import EntryDep, SandboxDep
from xero_sandbox.scopes import APP_CONNECTIONS
from xero_sandbox.state import SandboxState

router = APIRouter(prefix="/api", tags=["connections"])

_APP_ITSELF = str(uuid.UUID(int=0))


@router.get("/Connections", include_in_schema=False)
@router.get("/connections")
async def list_connections(
    request: Request,
    sandbox: SandboxDep,
    entry: EntryDep,
    auth_event_id: Annotated[str | None, Query(alias="authEventId")] = None,
) -> Response:
    """List the connections of the token's user, or only those that one consent created."""
    claims = bearer_claims(request, sandbox)
    if claims["xero_userid"] == _APP_ITSELF:
        found = _selected(request, sandbox, claims)
    else:
        found = sandbox.connections.of_user(claims["xero_userid"])
    listed = [
        _to_json(connection, sandbox)
        for connection in sandbox.connections.listed(found)
        if auth_event_id is None or connection.auth_event_id == auth_event_id.lower()
    ]
    entry.outcome = f"{len(listed)} listed"
    return JSONResponse(_malform(listed, sandbox))


@router.delete("/Connections/{connection_id}", include_in_schema=False)
@router.delete("/connections/{connection_id}", status_code=204)
async def delete_connection(
    connection_id: str, request: Request, sandbox: SandboxDep, entry: EntryDep
) -> Response:
    """Delete a connection; the id must be a connection's, not a tenant's."""
    claims = bearer_claims(request, sandbox)
    user_id = claims["xero_userid"]
    connection = sandbox.connections.by_id(connection_id)
    if connection is None:
        raise _refusal(_status_for_unknown(connection_id, user_id, sandbox))
    if user_id not in (_APP_ITSELF, connection.user.xero_user_id):
        raise _refusal(sandbox.switches.delete_foreign)
    sandbox.connections.delete(connection)
    entry.outcome = "deleted"
    return Response(status_code=204)


def _selected(request: Request, sandbox: SandboxState, claims: dict[str, Any]) -> list[Connection]:
    """Return the connections that the headers select, as an app-level token requires."""
    if APP_CONNECTIONS not in claims["scope"]:
        raise missing_scope()
    if tenant_id := request.headers.get("xero-tenant-id"):
        return sandbox.connections.to_tenant(tenant_id)
    return sandbox.connections.of_user(request.headers.get("xero-user-id", "").lower())


def _status_for_unknown(reference: str, user_id: str, sandbox: SandboxState) -> int:
    """Return the status for an unknown id; a tenantId or authEventId is 403 (facts §1.11)."""
    other_id = reference.lower()
    if any(
        other_id in (connection.tenant_id, connection.auth_event_id)
        for connection in sandbox.connections.of_user(user_id)
    ):
        return 403
    return sandbox.switches.delete_unknown


def _refusal(status: int) -> ApiProblem:
    return ApiProblem(status, "AuthenticationUnsuccessful" if status == 403 else None)


def _to_json(connection: Connection, sandbox: SandboxState) -> dict[str, Any]:
    org = sandbox.directory.org(connection.tenant_id)
    switches = sandbox.switches
    return {
        "id": connection.id,
        "authEventId": None if switches.null_auth_event_ids else connection.auth_event_id,
        "tenantId": connection.tenant_id,
        "tenantType": org.tenant_type,
        "tenantName": None if switches.null_tenant_names else org.name,
        "createdDateUtc": _date(connection.created_at),
        "updatedDateUtc": _date(connection.updated_at),
    }


def _malform(listed: list[dict[str, Any]], sandbox: SandboxState) -> list[dict[str, Any]]:
    """Return the list, malformed according to the switch `odd_connections`."""
    match sandbox.switches.odd_connections:
        case "first_without_tenant":
            return [
                each | ({} if place else {"tenantId": None}) for place, each in enumerate(listed)
            ]
        case "each_twice":
            older = _date(0)
            return [
                twin
                for each in listed
                for twin in (each, each | {"id": str(uuid.uuid4()), "updatedDateUtc": older})
            ]
        case _:
            return listed


def _date(seconds: float) -> str:
    """Return a date in Xero's format: seven fractional digits and no time zone."""
    return f"{to_datetime(seconds):%Y-%m-%dT%H:%M:%S.%f}0"
