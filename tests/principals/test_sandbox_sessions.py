"""The verifier accepts the tokens of the sandbox's session issuer, with keys over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
import time_machine

from tests.principals.issuer import ORIGIN
from xero_sandbox.client import SandboxClient
from xero_service.api.session_tokens import SessionVerifier
from xero_service.domain import Role, SessionUser
from xero_service.errors import AuthError, SessionPending
from xero_service.jwks import KeySet
from xero_service.xero.http import HttpClient


@pytest.fixture(autouse=True)
def at_rest() -> None:
    """Here time runs: the issuer is another process's clock."""


@pytest.fixture
async def verifier(sandbox: SandboxClient) -> AsyncIterator[SessionVerifier]:
    issuer = f"{sandbox.base_url}/session"
    async with HttpClient(timeout=10) as transport:
        keys = KeySet(lambda: transport.get_json(f"{issuer}/.well-known/jwks.json"))
        yield SessionVerifier(issuer, keys, frozenset({ORIGIN}))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("person", "org_id", "role"),
    [
        ("user_acme_admin", "org_acme", Role.ADMIN),
        ("user_acme_member", "org_acme", Role.MEMBER),
        ("user_accountant", "org_globex", Role.ADMIN),
        ("user_accountant", None, Role.MEMBER),
    ],
)
async def test_both_versions_name_the_same_principal(
    verifier: SessionVerifier,
    sandbox: SandboxClient,
    version: Literal[1, 2],
    person: str,
    org_id: str | None,
    role: Role,
) -> None:
    """S10."""
    token = sandbox.session_token(person, org_id, version=version, azp=ORIGIN)

    assert await verifier.verify(token) == SessionUser(person, org_id, role)


async def test_a_pending_session_counts_as_signed_out(
    verifier: SessionVerifier, sandbox: SandboxClient
) -> None:
    """S9."""
    token = sandbox.session_token("user_acme_admin", None, azp=ORIGIN, claims={"sts": "pending"})

    with pytest.raises(SessionPending):
        await verifier.verify(token)


async def test_a_token_lives_for_a_minute(
    verifier: SessionVerifier, sandbox: SandboxClient
) -> None:
    """S5."""
    token = sandbox.session_token("user_acme_admin", "org_acme", azp=ORIGIN)
    await verifier.verify(token)

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=70)), pytest.raises(AuthError):
        await verifier.verify(token)


async def test_a_key_that_the_issuer_begins_to_use_is_found(
    verifier: SessionVerifier, sandbox: SandboxClient
) -> None:
    sandbox.rotate_keys("session")

    token = sandbox.session_token("user_acme_admin", "org_acme", azp=ORIGIN)

    assert (await verifier.verify(token)).user_id == "user_acme_admin"
