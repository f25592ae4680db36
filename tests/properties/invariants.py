"""What holds of the database and of Xero after every step, and once everything is settled (R26)."""

from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from tests.service_api.callers import Service
from xero_sandbox.client import SandboxClient
from xero_sandbox.fingerprints import fingerprint
from xero_service.crypto import KeyRing

GRANTS = "SELECT * FROM integration_grants"
BINDINGS = (
    "SELECT b.*, g.status AS grant_status, g.superseded_by, g.access_token_enc, g.xero_user_id"
    " FROM integration_tenant_bindings b JOIN integration_grants g ON g.id = b.active_grant_id"
)


@dataclass
class Invariants:
    """Looks at the database from outside the service."""

    sql: asyncpg.Connection
    xero: SandboxClient
    keys: KeyRing
    generations: dict[UUID, int] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)  # tenants that no operator has resumed

    async def hold_now(self, excused: set[str]) -> None:
        """After every step, whatever is under way."""
        live: set[str] = set()
        for grant in await self.sql.fetch(GRANTS):
            user = grant["xero_user_id"]
            assert grant["generation"] >= self.generations.get(grant["id"], 0), "it only grows"
            self.generations[grant["id"]] = grant["generation"]
            if grant["status"] == "active":
                assert user not in live, "one live grant per Xero user"
                live.add(user)
                assert grant["generation"] >= self.newest.get(user, 0), "also over consents"
                self.newest[user] = grant["generation"]
                assert grant["refresh_token_enc"], "a live grant has tokens"
            if grant["superseded_by"]:
                assert (grant["status"], grant["refresh_token_enc"]) == ("revoked", None)
            if grant["status"] == "refresh_failed":
                assert user in excused, "no grant is lost without a reason"
                assert not self.is_live(grant), "nothing that Xero would take is given up"
        for binding in await self.sql.fetch(BINDINGS):
            if binding["status"] != "revoked":
                is_suspended = binding["external_tenant_id"] in self.suspended
                assert (binding["status"] == "suspended") is is_suspended, "only operators resume"
            if binding["status"] == "active":
                assert binding["grant_status"] == "active", "a binding has a usable path"
                assert binding["superseded_by"] is None
            elif binding["status"] == "needs_reauth":
                assert binding["superseded_by"] is None, "its grant is the newest there is"

    def is_live(self, grant: asyncpg.Record) -> bool:
        """Whether Xero would take the refresh token that is stored."""
        if grant["refresh_token_enc"] is None:
            return False
        token = self.keys.decrypt_token(
            grant["refresh_token_enc"], f"{grant['id']}:refresh_token_enc"
        )
        known = {use["fingerprint"]: use["live"] for use in self.xero.token_uses()}
        return bool(known[fingerprint(token)])

    async def is_lost(self, xero_user: str) -> bool:
        """Whether a Xero user's live grant rests on a set that Xero takes no more."""
        grant = await self.sql.fetchrow(
            f"{GRANTS} WHERE xero_user_id = $1 AND status = 'active'", xero_user
        )
        return grant is not None and not self.is_live(grant)

    async def hold_of_an_issue(self, binding_id: UUID, access_token: str) -> None:
        """A token that was issued is that of a live grant."""
        row = await self.sql.fetchrow(f"{BINDINGS} WHERE b.id = $1", binding_id)
        assert row is not None
        assert (row["status"], row["grant_status"]) == ("active", "active")
        stored = self.keys.decrypt_token(
            row["access_token_enc"], f"{row['active_grant_id']}:access_token_enc"
        )
        assert stored == access_token

    async def is_settled(self) -> bool:
        """Whether nothing is owed to Xero, and no attempt is open."""
        open_ = await self.sql.fetchval(
            "SELECT (SELECT count(*) FROM remote_cleanups WHERE done_at IS NULL)"
            " + (SELECT count(*) FROM integration_grants WHERE refresh_sent_at IS NOT NULL)"
        )
        return bool(open_ == 0)

    async def hold_in_the_end(self, service: Service) -> None:
        """Once Xero is back and upkeep came by a few times."""
        assert await self.is_settled()
        for grant in await self.sql.fetch(GRANTS):
            assert grant["lease_holder"] is None
            if grant["status"] == "revoked":
                assert grant["refresh_token_enc"] is grant["access_token_enc"] is None
            if grant["status"] == "active":
                assert self.is_live(grant), "what is stored is what Xero takes"
        for binding in await self.sql.fetch(f"{BINDINGS} WHERE b.status = 'active'"):
            answer = await service.naming(binding["clerk_org_id"]).calls(str(binding["id"]))
            assert answer.status_code == 200, "a healthy binding works at Xero"
