"""Control routes for events inside Xero: consents, disconnects, lost access, seeding."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from xero_sandbox import scopes
from xero_sandbox.authorize_request import AuthorizeRefused, parse_authorize_request
from xero_sandbox.connections import ConnectionLimitReached
from xero_sandbox.consent import Action, ConsentRefused
from xero_sandbox.json_model import JsonModel
from xero_sandbox.model import OrgStatus, Role
from xero_sandbox.routes.dependencies import SandboxDep
from xero_sandbox.samples import ACME_TRADING

router = APIRouter(prefix="/control", tags=["control of Xero"])

_SEED_SCOPES = (
    "openid",
    "profile",
    "email",
    "offline_access",
    "accounting.settings",
    "accounting.contacts",
    "accounting.invoices",
)
_LIMIT_TEXT = (
    "Sorry! {app} has reached their Xero connection limit, please let them know so they can "
    "connect more Xero organisations."
)


_USER = Field(description="The Xero user, by key or id.", examples=["xero-user-1"])
_TENANT = Field(description="The organisation, by its tenantId.", examples=[ACME_TRADING])


class ConsentOrder(JsonModel):
    """A decision of the consent page, taken without a browser."""

    authorize_url: str = Field(
        description="The authorize URL that the app under test redirects to.",
        examples=[
            "http://localhost:9000/login/identity/connect/authorize?response_type=code&client_id=…"
        ],
    )
    xero_user_id: str = _USER
    tenant_ids: list[str] = Field(
        default_factory=list,
        description="The organisations that the user selects.",
        examples=[[ACME_TRADING]],
    )
    action: Action = Field(default="allow", description="The button that the user presses.")


class Pair(JsonModel):
    """A Xero user and an organisation."""

    xero_user_id: str = _USER
    tenant_id: str = _TENANT


class RoleChange(JsonModel):
    """A user's role in an organisation; null removes the user."""

    tenant_id: str = _TENANT
    role: Role | None = Field(
        default=None, description="The new role; null removes the user.", examples=["standard"]
    )


class OrgChange(JsonModel):
    """A new status or a new name."""

    status: OrgStatus | None = Field(
        default=None, description="The new status; null: unchanged.", examples=["active"]
    )
    name: str | None = Field(
        default=None, description="The new name; null: unchanged.", examples=["Acme Trading Ltd"]
    )


class Seed(JsonModel):
    """The number of synthetic users, each with one grant and one connection."""

    grants: int = Field(ge=1, le=100_000, description="The number of grants.", examples=[1])
    scopes: list[str] = Field(
        default_factory=lambda: list(_SEED_SCOPES),
        description="The scopes of each grant.",
        examples=[list(_SEED_SCOPES)],
    )


@router.post("/consent")
async def consent(order: ConsentOrder, sandbox: SandboxDep) -> dict[str, str]:
    """Decide as on the consent page; return the redirect, or the error text of the page."""
    parts = urlsplit(order.authorize_url)
    user = sandbox.directory.user(order.xero_user_id)
    if parts.path != "/login/identity/connect/authorize":
        return {"error": "This is not the address of the consent page."}
    try:
        authorize = parse_authorize_request(
            parts.query,
            sandbox.config,
            sandbox.switches,
            broad_in_force=sandbox.broad_scopes_in_force,
        )
        return {
            "redirect": sandbox.consent_flow.decide(authorize, order.action, user, order.tenant_ids)
        }
    except (AuthorizeRefused, ConsentRefused) as refused:
        return {"error": str(refused)}
    except ConnectionLimitReached:
        return {"error": _LIMIT_TEXT.format(app=sandbox.config.app_name)}


@router.post("/connect")
async def connect(pair: Pair, sandbox: SandboxDep) -> dict[str, str]:
    """Create a connection without a consent."""
    user = sandbox.directory.user(pair.xero_user_id)
    org = sandbox.directory.org(pair.tenant_id)
    connection = sandbox.connections.connect(user, org.tenant_id, sandbox.grants.new_event().id)
    return {"connectionId": connection.id, "authEventId": connection.auth_event_id}


@router.post("/disconnect")
async def disconnect(pair: Pair, sandbox: SandboxDep) -> dict[str, bool]:
    """Disconnect under Connected apps in Xero; the refresh token stays valid (facts §4.6)."""
    user = sandbox.directory.user(pair.xero_user_id)
    connection = sandbox.connections.find(user.xero_user_id, pair.tenant_id)
    if connection is None:
        raise HTTPException(404, "There is no such connection.")
    sandbox.connections.delete(connection)
    if sandbox.switches.disconnect_in_xero == "kills_grant":
        sandbox.grants.kill_tokens_of(user)
    return {"disconnected": True}


@router.post("/users/{xero_user_id}/role")
async def set_role(xero_user_id: str, change: RoleChange, sandbox: SandboxDep) -> dict[str, bool]:
    """Set a user's role or remove the user; connections stay listed (facts §4.7)."""
    user = sandbox.directory.user(xero_user_id)
    sandbox.directory.set_role(change.tenant_id, user, change.role)
    return {"changed": True}


@router.post("/users/{xero_user_id}/refuse-access-tokens")
async def refuse_access_tokens(xero_user_id: str, sandbox: SandboxDep) -> dict[str, bool]:
    """Refuse the user's access tokens before they expire (facts §14)."""
    sandbox.grants.refuse_access_tokens_of(sandbox.directory.user(xero_user_id))
    return {"refused": True}


@router.post("/users/{xero_user_id}/kill-refresh-tokens")
async def kill_refresh_tokens(xero_user_id: str, sandbox: SandboxDep) -> dict[str, bool]:
    """Invalidate the user's refresh tokens, and nothing else."""
    sandbox.grants.kill_tokens_of(sandbox.directory.user(xero_user_id))
    return {"killed": True}


@router.post("/orgs/{tenant_id}")
async def change_org(tenant_id: str, change: OrgChange, sandbox: SandboxDep) -> dict[str, bool]:
    """Set an organisation's name, its status, or both."""
    if change.name is not None:
        sandbox.directory.rename(tenant_id, change.name)
    if change.status is not None:
        sandbox.directory.set_status(tenant_id, change.status)
    return {"changed": True}


@router.post("/orgs/{tenant_id}/reset-demo")
async def reset_demo(tenant_id: str, sandbox: SandboxDep) -> dict[str, str]:
    """Reset a demo company, which then has a new tenant id."""
    return {"tenantId": sandbox.directory.reset_demo(tenant_id).tenant_id}


@router.post("/seed")
async def seed(order: Seed, sandbox: SandboxDep) -> Response:
    """Create synthetic grants and return them with their tokens, which no other route shows."""
    unknown = scopes.unknown(tuple(order.scopes), broad_allowed=True)
    if unknown:
        raise HTTPException(422, f"Xero has no scope {unknown[0]}.")
    created: list[dict[str, Any]] = []
    for _ in range(order.grants):
        user, org = sandbox.directory.seed()
        event = sandbox.grants.new_event()
        connection = sandbox.connections.connect(user, org.tenant_id, event.id)
        tokens = sandbox.grants.issue(sandbox.grants.consent(user, tuple(order.scopes)), event)
        created.append(
            {
                "xeroUserId": user.xero_user_id,
                "name": user.name,
                "email": user.email,
                "tenantId": org.tenant_id,
                "tenantName": org.name,
                "connectionId": connection.id,
                "authEventId": event.id,
                "refreshToken": tokens.refresh_token,
                "accessToken": tokens.access_token,
                "scopes": order.scopes,
            }
        )
    return JSONResponse(created)
