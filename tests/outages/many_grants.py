"""Hundreds of grants at once, each of a Xero user and an organisation of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from tests.world import ACME, ACME_ADMIN, World
from xero_service.crypto import KeyRing

GRANTS = (
    "INSERT INTO integration_grants (id, authorised_by_clerk_user_id, clerk_org_id,"
    " access_token_enc, refresh_token_enc, refresh_token_issued_at, expires_at, xero_user_id,"
    " scopes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
BINDINGS = (
    "INSERT INTO integration_tenant_bindings (id, clerk_org_id, external_tenant_id,"
    " external_tenant_name, active_grant_id, connection_id, last_checked_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, now())"
)


@dataclass(frozen=True)
class Member:
    """One binding of the crowd and the grant it rests on."""

    binding_id: UUID
    grant_id: UUID
    tenant_id: str
    xero_user_id: str


async def crowd(
    world: World,
    count: int,
    *,
    expires_in: timedelta = timedelta(minutes=-1),
    days: int = 0,
    scopes: list[str] | None = None,
) -> Sequence[Member]:
    """Connect so many Xero users, as consents for `scopes` would have, `days` ago."""
    world.sandbox.switch(cheapTokens=True)
    keys = KeyRing(world.application.settings.encryption_keys()[0])
    now = datetime.now(UTC)
    members, grants, bindings = [], [], []
    for seeded in world.sandbox.seed(count, scopes=scopes):
        member = Member(uuid4(), uuid4(), seeded["tenantId"], seeded["xeroUserId"])
        sealed = [
            keys.encrypt_token(seeded[name], f"{member.grant_id}:{column}")
            for name, column in (
                ("accessToken", "access_token_enc"),
                ("refreshToken", "refresh_token_enc"),
            )
        ]
        members.append(member)
        grants.append(
            (
                *(member.grant_id, ACME_ADMIN, ACME, *sealed),
                *(now - timedelta(days=days), now + expires_in),
                *(seeded["xeroUserId"], seeded["scopes"]),
            )
        )
        bindings.append(
            (
                *(member.binding_id, ACME, member.tenant_id, seeded["tenantName"]),
                *(member.grant_id, seeded["connectionId"]),
            )
        )
    await world.database.executemany(GRANTS, grants)
    await world.database.executemany(BINDINGS, bindings)
    return members
