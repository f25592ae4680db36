"""Trading a code for tokens, and how Xero says no."""

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import quote_plus

import httpx
import pytest

from tests.sandbox.sample_app import CALLBACK, CREDENTIALS, SCOPES, SampleApp
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient, SandboxError
from xero_sandbox.config import SandboxConfig
from xero_sandbox.testing import running_sandbox

VERIFIER = "a" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@pytest.fixture(scope="module")
def pkce_app() -> Iterator[SandboxClient]:
    with running_sandbox(SandboxConfig(app_type="pkce")) as sandbox:
        yield sandbox


def _refused(answer: httpx.Response, error: str) -> bool:
    return answer.status_code == 400 and answer.text == f'{{"error":"{error}"}}'


def test_an_exchange_answers_with_the_recorded_shape(app: SampleApp) -> None:
    answer = app.exchange(app.code("xero-user-1", samples.ACME_TRADING))

    body = answer.json()
    assert set(body) == {
        "id_token",
        "access_token",
        "expires_in",
        "token_type",
        "refresh_token",
        "scope",
    }
    assert (body["expires_in"], body["token_type"], body["scope"]) == (1800, "Bearer", SCOPES)
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.headers["cache-control"] == "max-age=0, no-cache, no-store"


def test_id_and_refresh_tokens_come_only_with_their_scopes(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING, scope="accounting.settings")

    assert "id_token" not in tokens
    assert "refresh_token" not in tokens


@pytest.mark.parametrize(("age", "status"), [(4 * 60 + 59, 200), (5 * 60, 400), (301, 400)])
def test_a_code_lives_for_five_minutes(
    app: SampleApp, sandbox: SandboxClient, age: int, status: int
) -> None:
    code = app.code("xero-user-1", samples.ACME_TRADING)

    sandbox.advance(age)

    assert app.exchange(code).status_code == status


def test_a_code_works_once(app: SampleApp) -> None:
    code = app.code("xero-user-1", samples.ACME_TRADING)
    assert app.exchange(code).status_code == 200

    assert _refused(app.exchange(code), "invalid_grant")


def test_a_code_is_bound_to_its_redirect_uri(app: SampleApp) -> None:
    code = app.code("xero-user-1", samples.ACME_TRADING)

    assert _refused(app.exchange(code, redirect_uri=f"{CALLBACK}/"), "invalid_grant")


@pytest.mark.parametrize("verifier", ["", "b" * 43, CHALLENGE])
def test_a_code_with_a_challenge_needs_its_verifier(app: SampleApp, verifier: str) -> None:
    code = app.code("xero-user-1", samples.ACME_TRADING, **PKCE)

    assert _refused(app.exchange(code, code_verifier=verifier), "invalid_grant")
    assert app.exchange(code, code_verifier=VERIFIER).status_code == 200


def test_credentials_may_come_in_the_header_or_in_the_body(app: SampleApp) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": app.code("xero-user-1", samples.ACME_TRADING),
        "redirect_uri": CALLBACK,
        "client_id": CREDENTIALS[0],
        "client_secret": CREDENTIALS[1],
        "scope": SCOPES,
    }

    assert app.http.post("/identity/connect/token", data=form).status_code == 200


def test_basic_credentials_may_be_form_encoded_or_plain() -> None:
    secret = "a+b%2F c"
    with (
        running_sandbox(SandboxConfig(client_secret=secret)) as sandbox,
        httpx.Client(base_url=sandbox.base_url, trust_env=False) as http,
    ):
        for password in (secret, quote_plus(secret)):
            answer = http.post(
                "/identity/connect/token",
                data={"grant_type": "client_credentials", "scope": "app.connections"},
                auth=(CREDENTIALS[0], password),
            )
            assert answer.status_code == 200


@pytest.mark.parametrize(
    "credentials",
    [("another", CREDENTIALS[1]), (CREDENTIALS[0], "wrong"), (CREDENTIALS[0], "sandbox-secret\n")],
)
def test_wrong_credentials_are_invalid_client_and_spend_nothing(
    app: SampleApp, credentials: tuple[str, str]
) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    answer = app.http.post("/identity/connect/token", data=form, auth=credentials)

    assert _refused(answer, "invalid_client")
    assert app.sandbox.token_uses()[0]["accepted"] == 0


@pytest.mark.parametrize("form", [{}, {"grant_type": "refresh"}, {"grant_type": "password"}])
def test_an_unknown_grant_type_is_unsupported(app: SampleApp, form: dict[str, str]) -> None:
    assert _refused(app.token(form), "unsupported_grant_type")


def test_a_json_body_is_an_unsupported_grant_type(app: SampleApp) -> None:
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    answer = app.http.post("/identity/connect/token", json=form, auth=CREDENTIALS)

    assert _refused(answer, "unsupported_grant_type")


def test_a_pkce_app_needs_a_challenge_and_has_no_secret(pkce_app: SandboxClient) -> None:
    with httpx.Client(base_url=pkce_app.base_url, trust_env=False) as http:
        app = SampleApp(pkce_app, http)
        with pytest.raises(SandboxError, match="invalid_request"):
            app.code("xero-user-1", samples.ACME_TRADING)
        form = {
            "grant_type": "authorization_code",
            "code": app.code("xero-user-1", samples.ACME_TRADING, **PKCE),
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }

        assert _refused(app.token(form), "invalid_client")
        public = http.post("/identity/connect/token", data=form | {"client_id": CREDENTIALS[0]})
        assert public.status_code == 200


def test_client_credentials_give_only_app_connections(app: SampleApp) -> None:
    form = {"grant_type": "client_credentials"}

    refused = app.token(form | {"scope": "accounting.settings"})
    granted = app.token(form | {"scope": "app.connections"})

    assert refused.json() == {
        "error": "invalid_scope",
        "error_description": "Client credentials scope validation failed",
    }
    assert "refresh_token" not in granted.json()
