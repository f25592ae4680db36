"""Session tokens in both of Clerk's shapes."""

from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest

from xero_sandbox.client import SandboxClient, SandboxError

ORIGIN = "http://localhost:5173"


def _read(http: httpx.Client, sandbox: SandboxClient, token: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(http.get("/session/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"], issuer=f"{sandbox.base_url}/session")


def test_version_2_has_the_org_in_one_claim_and_the_role_without_prefix(
    http: httpx.Client, sandbox: SandboxClient
) -> None:
    token = sandbox.session_token("user_acme_admin", "org_acme", azp=ORIGIN)

    claims = _read(http, sandbox, token)

    assert claims["v"] == 2
    assert claims["o"] == {
        "id": "org_acme",
        "slg": "acme",
        "rol": "admin",
        "per": "manage,read",
        "fpm": "3",
    }
    assert (claims["sub"], claims["sts"], claims["azp"]) == ("user_acme_admin", "active", ORIGIN)
    assert claims["exp"] - claims["iat"] == 60
    assert claims["iat"] - claims["nbf"] == 10
    assert {"jti", "pla", "fea", "fva", "sid"} <= set(claims)


def test_version_1_has_flat_claims_and_the_prefixed_role(
    http: httpx.Client, sandbox: SandboxClient
) -> None:
    token = sandbox.session_token("user_acme_member", "org_acme", version=1)

    claims = _read(http, sandbox, token)

    assert "v" not in claims
    assert "o" not in claims
    assert (claims["org_id"], claims["org_slug"]) == ("org_acme", "acme")
    assert claims["org_role"] == "org:member"
    assert claims["org_permissions"] == ["org:integrations:read"]


@pytest.mark.parametrize("version", [1, 2])
def test_without_an_org_no_claim_speaks_of_one(
    http: httpx.Client, sandbox: SandboxClient, version: int
) -> None:
    token = sandbox.session_token("user_accountant", None, version=version)  # type: ignore[arg-type]

    claims = _read(http, sandbox, token)

    assert not {"o", "org_id", "org_role"} & set(claims)


def test_the_header_has_kid_type_and_category(sandbox: SandboxClient) -> None:
    header = jwt.get_unverified_header(sandbox.session_token("user_acme_admin", "org_acme"))

    assert set(header) == {"alg", "kid", "typ", "cat"}
    assert (header["typ"], header["cat"]) == ("JWT", "cl_B7d4PD111AAA")


def test_azp_is_the_origin_of_the_request(http: httpx.Client, sandbox: SandboxClient) -> None:
    session_id = sandbox.sign_in("user_acme_admin")["sessionId"]

    answer = http.post(
        "/session/tokens",
        json={"sessionId": session_id, "orgId": "org_acme"},
        headers={"origin": ORIGIN},
    )

    assert _read(http, sandbox, answer.json()["token"])["azp"] == ORIGIN


def test_claims_and_header_can_be_overridden_and_removed(sandbox: SandboxClient) -> None:
    token = sandbox.session_token(
        "user_acme_admin",
        "org_acme",
        claims={"sts": "pending", "iss": "https://elsewhere.example", "azp": None, "exp": 1},
        header={"kid": "unknown", "cat": "cl_B7d4PD333AAA"},
    )

    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sts"], claims["iss"]) == ("pending", "https://elsewhere.example")
    assert claims["exp"] == 1
    assert "azp" not in claims
    assert jwt.get_unverified_header(token)["kid"] == "unknown"


def test_a_signed_out_session_gets_no_more_tokens(sandbox: SandboxClient) -> None:
    session_id = sandbox.sign_in("user_acme_admin")["sessionId"]
    sandbox.sign_out(session_id)

    with pytest.raises(SandboxError, match="401"):
        sandbox.session_token("user_acme_admin", "org_acme", session_id=session_id)


def test_a_token_for_an_org_without_membership_is_refused(sandbox: SandboxClient) -> None:
    with pytest.raises(SandboxError, match="403"):
        sandbox.session_token("user_acme_admin", "org_globex")


def test_sign_in_tells_person_and_orgs(sandbox: SandboxClient) -> None:
    found = sandbox.sign_in("user_accountant")

    assert found["person"]["name"] == "Accountant"
    assert [(org["id"], org["role"]) for org in found["orgs"]] == [
        ("org_acme", "admin"),
        ("org_globex", "admin"),
    ]


def test_session_times_are_real_whatever_the_sandboxs_clock_says(
    http: httpx.Client, sandbox: SandboxClient
) -> None:
    sandbox.advance(-100 * 24 * 60 * 60)

    claims = _read(http, sandbox, sandbox.session_token("user_acme_admin", "org_acme"))

    age = datetime.now(UTC) - datetime.fromtimestamp(claims["iat"], UTC)
    assert age.days == 0


def test_the_session_key_is_not_xeros(http: httpx.Client) -> None:
    session = http.get("/session/.well-known/jwks.json").json()["keys"]
    identity = http.get("/identity/.well-known/openid-configuration/jwks").json()["keys"]

    assert not {key["n"] for key in session} & {key["n"] for key in identity}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:5173", True),
        ("http://127.0.0.1:4000", True),
        ("https://localhost", True),
        ("http://localhost.example.com", False),
        ("http://localhost:5173.example.com", False),
        ("null", False),
    ],
)
def test_only_pages_on_loopback_may_call_the_session_issuer(
    http: httpx.Client, origin: str, allowed: bool
) -> None:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }

    preflight = http.options("/session/tokens", headers=headers)
    people = http.get("/session/people", headers={"origin": origin})
    control = http.get("/control/state", headers={"origin": origin})

    assert ("access-control-allow-origin" in preflight.headers) is allowed
    assert ("access-control-allow-origin" in people.headers) is allowed
    assert "access-control-allow-origin" not in control.headers
