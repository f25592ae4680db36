"""Callers of every kind with their credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.world import ACME, GLOBEX, World
from xero_service.domain import SYSTEM, Scope

EVERY_SCOPE = tuple(scope.value for scope in Scope)


@dataclass(frozen=True)
class Principal:
    """A caller of one kind, with the headers that it sends."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


async def people(world: World) -> list[Principal]:
    """People of org_acme, where a tenant is bound, and of another org, signed in for a minute."""
    admin, member, stranger = (
        await world.acme_admin(),
        await world.acme_member(),
        await world.globex_admin(),
    )
    nobody = await world.person("user_acme_admin", None)
    return [
        Principal("anonymous"),
        _session("forged session", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyX2FjbWVfYWRtaW4ifQ."),
        Principal("admin by cookie", {"Cookie": f"__session={admin.token()}"}),
        _session("pending session", admin.token(claims={"sts": "pending"})),
        _session("admin, no active org", nobody.token()),
        _session("member", member.token()),
        _session("admin", admin.token()),
        _session("impersonated admin", admin.token(claims={"act": {"sub": "user_support"}})),
        _session("admin of another org", stranger.token()),
    ]


async def services(world: World) -> list[Principal]:
    """Services of both orgs and of all."""

    async def made(
        name: str, *scopes: str, org: str | None = ACME, names: str | None = None, ended: str = ""
    ) -> Principal:
        keys = world.services.keys
        new = await keys.create(
            SYSTEM,
            name="matrix",
            org_id=org,
            scopes=scopes or EVERY_SCOPE,
            expires_at=datetime.now(UTC) + timedelta(hours=1),
        )
        if ended == "revoked":
            await keys.revoke(SYSTEM, new.key.id)
        if ended == "expired":
            await world.database.execute(
                "UPDATE service_keys SET expires_at = now() WHERE id = $1", new.key.id
            )
        named = {"X-Org-Id": names} if names else {}
        return Principal(name, {"Authorization": f"Bearer {new.secret}", **named})

    return [
        *[await made(f"key with {scope}", scope) for scope in EVERY_SCOPE],
        await made("key of every scope"),
        await made("key, naming another org", names=GLOBEX),
        await made("key of another org", org=GLOBEX),
        await made("key for all orgs, naming none", org=None),
        await made("key for all orgs, naming it", org=None, names=ACME),
        await made("key for all orgs, naming another", org=None, names=GLOBEX),
        await made("revoked key", ended="revoked"),
        await made("expired key", ended="expired"),
    ]


def _session(name: str, token: str) -> Principal:
    return Principal(name, {"Authorization": f"Bearer {token}"})
