"""What Xero's tokens say and who signed them."""

import re
from typing import Any

import httpx
import jwt
import pytest

from tests.sandbox.sample_app import SCOPES, SampleApp
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient

KEYS = "/identity/.well-known/openid-configuration/jwks"


def _verified(http: httpx.Client, token: str, audience: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(http.get(KEYS).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"], audience=audience)


def test_an_access_token_has_the_recorded_claims(app: SampleApp, sandbox: SandboxClient) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    issuer = f"{sandbox.base_url}/identity"

    claims = _verified(app.http, tokens["access_token"], f"{issuer}/resources")

    assert set(claims) == {
        *("nbf", "exp", "iss", "aud", "client_id", "sub", "auth_time", "xero_userid"),
        *("global_session_id", "jti", "authentication_event_id", "amr", "scope"),
    }
    assert claims["exp"] - claims["nbf"] == 1800
    assert claims["iss"] == issuer
    assert claims["scope"] == SCOPES.split()
    assert claims["xero_userid"] == samples.ACME_BOOKKEEPER.xero_user_id


def test_the_header_has_kid_and_x5t(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)

    header = jwt.get_unverified_header(tokens["access_token"])

    assert set(header) == {"alg", "kid", "typ", "x5t"}
    assert header["alg"] == "RS256"
    assert re.fullmatch(r"[0-9A-F]{40}", header["kid"])


def test_an_id_token_names_the_user_and_returns_the_nonce(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING, nonce="some-nonce")

    claims = _verified(app.http, tokens["id_token"], "sandbox-client")

    assert claims["nonce"] == "some-nonce"
    assert (claims["name"], claims["email"]) == ("Acme bookkeeper", samples.ACME_BOOKKEEPER.email)
    assert claims["exp"] - claims["iat"] == 300
    access = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert claims["xero_userid"] == access["xero_userid"]
    assert claims["sub"] == access["sub"]


def test_times_follow_the_sandboxs_clock_and_its_skew(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    before = app.sign_in("xero-user-1", samples.ACME_TRADING)["access_token"]
    sandbox.advance(3600)
    sandbox.switch(claimSkewSeconds=7)
    after = app.sign_in("xero-user-1")["access_token"]

    first, second = (
        jwt.decode(token, options={"verify_signature": False}) for token in (before, after)
    )
    assert second["exp"] - first["exp"] == 3600
    assert second["nbf"] - first["nbf"] == 3607


@pytest.mark.parametrize(("keep_old", "published"), [(True, 2), (False, 1)])
def test_a_rotated_key_signs_from_now_on(
    app: SampleApp, sandbox: SandboxClient, keep_old: bool, published: int
) -> None:
    sandbox.rotate_keys(keep_old=False)
    old = app.sign_in("xero-user-1", samples.ACME_TRADING)

    kid = sandbox.rotate_keys(keep_old=keep_old)

    new = app.refresh(old["refresh_token"]).json()
    assert jwt.get_unverified_header(new["access_token"])["kid"] == kid
    assert len(app.http.get(KEYS).json()["keys"]) == published
    assert (app.organisation(old, samples.ACME_TRADING).status_code == 200) is keep_old


def test_discovery_names_the_endpoints_under_one_issuer(
    http: httpx.Client, sandbox: SandboxClient
) -> None:
    found = http.get("/identity/.well-known/openid-configuration").json()

    assert found["issuer"] == f"{sandbox.base_url}/identity"
    assert found["jwks_uri"] == f"{sandbox.base_url}{KEYS}"
    assert found["token_endpoint"] == f"{sandbox.base_url}/identity/connect/token"
    assert found["authorization_endpoint"].startswith(f"{sandbox.base_url}/login/")


def test_cheap_tokens_are_valid_for_the_api_and_for_no_other_keys(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    sandbox.switch(cheapTokens=True)
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)

    assert app.organisation(tokens, samples.ACME_TRADING).status_code == 200
    with pytest.raises(jwt.InvalidSignatureError):
        _verified(app.http, tokens["access_token"], f"{sandbox.base_url}/identity/resources")


def test_userinfo_tells_who_the_user_is(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)

    answer = app.http.get(
        "/identity/connect/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"}
    )

    assert answer.json()["email"] == samples.ACME_BOOKKEEPER.email
    assert app.http.get("/identity/connect/userinfo").status_code == 401
