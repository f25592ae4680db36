"""Control routes of the sandbox itself: state, clock, switches, keys, latency, journal."""

from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field, ValidationError

from xero_sandbox.clock import to_datetime
from xero_sandbox.fingerprints import fingerprint
from xero_sandbox.json_model import JsonModel
from xero_sandbox.model import Connection, Grant, Org, RefreshToken, XeroUser
from xero_sandbox.routes.dependencies import SandboxDep
from xero_sandbox.state import SandboxState

router = APIRouter(prefix="/control", tags=["control"])


class ClockChange(JsonModel):
    """A change of the clock: a step, an offset from real time, or a stop or start."""

    advance_seconds: float | None = Field(
        default=None, description="Seconds to advance.", examples=[1800]
    )
    offset_seconds: float | None = Field(
        default=None, description="The offset from real time in seconds.", examples=[0]
    )
    frozen: bool | None = Field(
        default=None, description="Stop or start the clock; null: unchanged.", examples=[False]
    )


class KeyRotation(JsonModel):
    """Whose keys rotate, and whether the old key stays published."""

    issuer: Literal["identity", "session"] = Field(
        default="identity", description="Xero's keys or the session issuer's."
    )
    keep_old: bool = Field(default=True, description="Whether the JWKS keeps the old key.")


class Upstream(JsonModel):
    """A fixed delay of every request on the Xero side."""

    latency_ms: float = Field(ge=0, description="Milliseconds; 0: no delay.", examples=[0])


@router.get("/state")
async def state(sandbox: SandboxDep) -> dict[str, Any]:
    """Return the whole state, with fingerprints in place of tokens."""
    return {
        "clock": _clock(sandbox),
        "switches": sandbox.switches.model_dump(by_alias=True),
        "users": [_user(user) for user in sandbox.directory.users],
        "orgs": [_org(org) for org in sandbox.directory.orgs],
        "connections": [_connection(each, sandbox) for each in sandbox.connections.all],
        "grants": [_grant(grant, sandbox) for grant in sandbox.grants.all],
    }


@router.post("/reset")
async def reset(sandbox: SandboxDep) -> dict[str, Any]:
    """Return to the sample state."""
    await sandbox.reset()
    return {"reset": True}


@router.get("/clock")
async def read_clock(sandbox: SandboxDep) -> dict[str, Any]:
    """Return the time of the Xero side."""
    return _clock(sandbox)


@router.post("/clock")
async def set_clock(change: ClockChange, sandbox: SandboxDep) -> dict[str, Any]:
    """Adjust, freeze or thaw the clock of the Xero side."""
    if change.frozen is not None:
        (sandbox.clock.freeze if change.frozen else sandbox.clock.thaw)()
    if change.offset_seconds is not None:
        sandbox.clock.offset = change.offset_seconds
    if change.advance_seconds is not None:
        sandbox.clock.advance(change.advance_seconds)
    sandbox.webhooks.wake()
    return _clock(sandbox)


@router.get("/journal")
async def journal(
    sandbox: SandboxDep, since: int = 0, kind: str | None = None
) -> list[dict[str, Any]]:
    """List the requests after number `since`, of one kind or family of kinds."""
    return [entry.to_json() for entry in sandbox.journal.read(since=since, kind=kind)]


@router.get("/tokens")
async def tokens(sandbox: SandboxDep) -> list[dict[str, Any]]:
    """List every refresh token with its history, to check that each was presented once."""
    return [_token(token, sandbox) for grant in sandbox.grants.all for token in grant.tokens]


@router.get("/switches")
async def read_switches(sandbox: SandboxDep) -> dict[str, Any]:
    """Return all switches with their values."""
    return sandbox.switches.model_dump(by_alias=True)


@router.post("/switches")
async def turn_switches(changes: dict[str, Any], sandbox: SandboxDep) -> dict[str, Any]:
    """Set switches by the names of the listing: all, or none if one is invalid."""
    try:
        sandbox.switches.change(changes)
    except ValidationError as error:
        raise HTTPException(422, error.errors(include_url=False, include_context=False)) from error
    return sandbox.switches.model_dump(by_alias=True)


@router.post("/keys/rotate")
async def rotate_keys(sandbox: SandboxDep, rotation: KeyRotation | None = None) -> dict[str, Any]:
    """Replace the signing key by a new one."""
    rotation = rotation or KeyRotation()
    keys = sandbox.keys if rotation.issuer == "identity" else sandbox.session_issuer.keys
    return {"kid": keys.rotate(keep_old=rotation.keep_old).kid}


@router.post("/upstream")
async def upstream(delay: Upstream, sandbox: SandboxDep) -> dict[str, float]:
    """Delay every request on the Xero side."""
    sandbox.latency = delay.latency_ms / 1000
    return {"latencyMs": delay.latency_ms}


def _clock(sandbox: SandboxState) -> dict[str, Any]:
    clock = sandbox.clock
    now = to_datetime(clock.now()).isoformat()
    return {"now": now, "offsetSeconds": clock.offset, "frozen": clock.frozen}


def _user(user: XeroUser) -> dict[str, str]:
    return {
        "key": user.key,
        "xeroUserId": user.xero_user_id,
        "name": user.name,
        "email": user.email,
    }


def _org(org: Org) -> dict[str, Any]:
    return {
        "tenantId": org.tenant_id,
        "name": org.name,
        "tenantType": org.tenant_type,
        "status": org.status,
        "isDemo": org.is_demo,
        "members": org.members,
    }


def _connection(connection: Connection, sandbox: SandboxState) -> dict[str, Any]:
    org = sandbox.directory.find_org(connection.tenant_id)
    return {
        "id": connection.id,
        "xeroUserId": connection.user.xero_user_id,
        "tenantId": connection.tenant_id,
        "tenantName": org.name if org else None,
        "authEventId": connection.auth_event_id,
        "deleted": connection.deleted,
    }


def _grant(grant: Grant, sandbox: SandboxState) -> dict[str, Any]:
    live = [token for token in grant.tokens if sandbox.grants.is_live(token)]
    return {
        "id": grant.id,
        "xeroUserId": grant.user.xero_user_id,
        "scopes": list(grant.scopes),
        "revoked": grant.revoked,
        "refreshTokens": len(grant.tokens),
        "liveFingerprints": [fingerprint(token.value) for token in live],
    }


def _token(token: RefreshToken, sandbox: SandboxState) -> dict[str, Any]:
    name = fingerprint(token.value)
    return {
        "fingerprint": name,
        "grantId": token.grant.id,
        "xeroUserId": token.grant.user.xero_user_id,
        "generation": token.generation,
        "presented": sandbox.journal.presented[name],
        "accepted": token.accepted,
        "createdAt": to_datetime(token.created_at).isoformat(),
        "firstUsedAt": to_datetime(token.first_used_at).isoformat()
        if token.first_used_at
        else None,
        "live": sandbox.grants.is_live(token),
    }
