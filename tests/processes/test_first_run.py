"""The whole life of a connection, over HTTP alone, against real processes.

The service, the sandbox and PostgreSQL run as programs of their own. The walker is a browser and
a settings page in one: it knows the public addresses and nothing of the code. One SQL statement
stands in for the passing of time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest

from demo import stack
from demo.stack import Stack
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING

API = "/api/integrations/xero"
XERO_USER = "xero-user-1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack.running(tmp_path_factory.mktemp("first-run")) as started:
        yield started


@dataclass(frozen=True)
class Walker:
    """An admin at a browser."""

    http: httpx.Client
    sandbox: SandboxClient
    origin: str

    def call(self, method: str, path: str, **options: Any) -> Any:
        token = self.sandbox.session_token("user_acme_admin", "org_acme", azp=self.origin)
        response = self.http.request(
            method, API + path, headers={"Authorization": f"Bearer {token}"}, **options
        )
        assert response.is_success, response.text
        return response.json()

    def consents(self, tenant_id: str) -> str:
        """Start, allow at Xero, follow the redirect back; return the grant's id."""
        address = self.call("GET", "/start")["authorizationUrl"]
        response = self.http.get(self.sandbox.consent(address, XERO_USER, [tenant_id]))
        assert response.status_code == 303
        landed = urlsplit(response.headers["location"])
        assert f"{landed.scheme}://{landed.netloc}" == self.origin
        query = parse_qs(landed.query)
        assert query["action"] == ["select_tenant"], query
        return query["grantId"][0]

    def chooses(self, grant_id: str, tenant_id: str) -> Any:
        offered = self.call("GET", "/tenants/list", params={"grantId": grant_id})["tenants"]
        assert tenant_id in {tenant["tenantId"] for tenant in offered}
        choice = {"grantId": grant_id, "tenantId": tenant_id}
        return self.call("POST", "/tenants/select", json=choice)

    def bindings(self) -> dict[str, Any]:
        found = self.call("GET", "/bindings")["bindings"]
        return {binding["tenantId"]: binding for binding in found}

    def refreshed(self) -> int:
        report = self.call("POST", "/refresh")
        assert report["success"], report
        return int(report["refreshedCount"])

    def disconnects(self, binding: Any) -> Any:
        return self.call("POST", "/disconnect", json={"tenantBindingId": binding["id"]})


@pytest.fixture
def walker(running: Stack) -> Iterator[Walker]:
    with (
        SandboxClient(running.sandbox) as sandbox,
        httpx.Client(base_url=running.origin, trust_env=False, timeout=30) as http,
    ):
        yield Walker(http, sandbox, running.origin)


async def time_passes(running: Stack, *, expires_in: str, days: int = 0) -> None:
    connection = await asyncpg.connect(running.database_url)
    await connection.execute(
        "UPDATE integration_grants SET expires_at = now() + $1::text::interval,"
        " refresh_token_issued_at = now() - make_interval(days => $2) WHERE status = 'active'",
        expires_in,
        days,
    )
    await connection.close()


async def stored_tokens(running: Stack) -> int:
    connection = await asyncpg.connect(running.database_url)
    found = await connection.fetchval(
        "SELECT count(coalesce(access_token_enc, refresh_token_enc)) FROM integration_grants"
    )
    await connection.close()
    return int(found)


async def test_a_connection_lives_from_the_first_consent_to_the_last_disconnect(
    running: Stack, walker: Walker
) -> None:
    # The first organisation.
    assert walker.bindings() == {}
    trading = walker.chooses(walker.consents(ACME_TRADING), ACME_TRADING)
    assert (trading["status"], trading["health"]["state"]) == ("active", "healthy")
    assert set(walker.bindings()) == {ACME_TRADING}

    # Not due, expiring, and with a refresh token of 46 days.
    assert walker.refreshed() == 0
    await time_passes(running, expires_in="2 minutes")
    assert walker.refreshed() == 1
    await time_passes(running, expires_in="29 minutes", days=46)
    assert walker.refreshed() == 1
    assert walker.refreshed() == 0
    assert len(walker.sandbox.journal("token.refresh")) == 2

    # A second organisation rests on the same, renewed grant.
    services = walker.chooses(walker.consents(ACME_SERVICES), ACME_SERVICES)
    both = walker.bindings()
    assert {each["grantId"] for each in both.values()} == {services["grantId"]}
    assert {each["status"] for each in both.values()} == {"active"}
    assert await stored_tokens(running) == 1

    # The first one goes; the other goes on working.
    ended = walker.disconnects(trading)
    assert (ended["grantRevoked"], ended["remoteCleanup"]) == (False, "done")
    assert [call["status"] for call in walker.sandbox.journal("connections.delete")] == [204]
    await time_passes(running, expires_in="-1 minute")
    assert walker.refreshed() == 1
    assert set(walker.bindings()) == {ACME_SERVICES}

    # The last one goes, and the grant with it.
    ended = walker.disconnects(services)
    assert (ended["grantRevoked"], ended["remoteCleanup"]) == (True, "done")
    assert walker.bindings() == {}
    assert await stored_tokens(running) == 0

    # What reached Xero, in order, and with which tokens.
    journal = walker.sandbox.journal("*")
    acts = [call["kind"] for call in journal if call["kind"].startswith(("token", "rev"))]
    assert acts == [
        "token.code",
        "token.refresh",
        "token.refresh",
        "token.code",
        "token.refresh",
        "revocation",
    ]
    assert [use["presented"] for use in walker.sandbox.token_uses()] == [1, 1, 0, 1, 0]
    revocation = next(call for call in journal if call["kind"] == "revocation")
    assert revocation["outcome"] == "revoked"
    assert revocation["fingerprint"] == walker.sandbox.token_uses()[-1]["fingerprint"]
    state = walker.sandbox.state()
    assert all(connection["deleted"] for connection in state["connections"])
    assert all(grant["revoked"] for grant in state["grants"])


def test_nothing_secret_was_written_to_the_log(running: Stack, walker: Walker) -> None:
    """The log of the walk above, at the level that runs in production."""
    token = walker.sandbox.session_token("user_acme_admin", "org_acme", azp=walker.origin)

    directory = Path(running.directory)
    logs = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.log")}
    written = "".join(text for name, text in logs.items() if name.startswith("service-"))

    assert "/refresh" in written
    for secret in ("eyJ", "code=", "state=", "refresh_token=", token):
        assert secret not in written
    for name in ("ENCRYPTION_KEY", "XERO_CLIENT_SECRET"):
        assert running.environment[name] not in "".join(logs.values())
