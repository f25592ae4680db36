"""The service's environment with the sandbox, and with the real Xero."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from demo.environment import (
    XeroApp,
    names_own_issuer,
    names_real_xero,
    service_environment,
    without_service_variables,
)
from demo.processes import LaunchError

REAL = {"XERO_CLIENT_ID": "an-app", "XERO_CLIENT_SECRET": "its-key"}


def told(ambient: Mapping[str, str], page: Path | None = None) -> dict[str, str]:
    return service_environment(
        ambient,
        origin="http://localhost:8000",
        sandbox="http://localhost:9000",
        app=XeroApp(),
        database_url="postgresql://postgres@/xero?host=/run/here",
        page=page,
    )


def test_the_sandbox_plays_xero_and_the_session_issuer_unless_others_are_named() -> None:
    environment = told({})

    sandbox_urls = {name for name, value in environment.items() if "localhost:9000" in value}
    assert sandbox_urls == {
        "XERO_AUTHORIZE_URL",
        "XERO_TOKEN_URL",
        "XERO_REVOCATION_URL",
        "XERO_ISSUER",
        "XERO_JWKS_URL",
        "XERO_API_URL",
        "AUTH_ISSUER",
        "AUTH_JWKS_URL",
    }


def test_everything_that_is_the_stack_itself_is_on_localhost() -> None:
    elsewhere = dict.fromkeys(
        ("PUBLIC_URL", "FRONTEND_URL", "XERO_REDIRECT_URI", "AUTH_AUTHORIZED_PARTIES"),
        "https://app.example.com",
    )

    environment = told(elsewhere | REAL)

    assert environment["PUBLIC_URL"] == environment["FRONTEND_URL"] == "http://localhost:8000"
    assert environment["AUTH_AUTHORIZED_PARTIES"] == "http://localhost:8000"
    assert (
        environment["XERO_REDIRECT_URI"] == "http://localhost:8000/api/integrations/xero/callback"
    )


def test_a_named_app_talks_to_the_real_xero_whose_addresses_are_the_defaults() -> None:
    environment = told(REAL)

    assert environment["XERO_CLIENT_ID"] == "an-app"
    assert environment["XERO_CLIENT_SECRET"] == "its-key"
    assert "XERO_TOKEN_URL" not in environment
    assert environment["AUTH_ISSUER"] == "http://localhost:9000/session"


def test_a_named_issuer_is_left_alone() -> None:
    issuer = {"AUTH_ISSUER": "https://clerk.example.com", "AUTH_JWKS_URL": "https://clerk/jwks"}

    environment = told(issuer)

    assert names_own_issuer(issuer)
    assert {name: environment[name] for name in issuer} == issuer
    assert environment["XERO_TOKEN_URL"] == "http://localhost:9000/identity/connect/token"


@pytest.mark.parametrize("given", REAL)
def test_half_an_app_is_an_error_that_names_the_missing_half(given: str) -> None:
    (missing,) = REAL.keys() - {given}

    with pytest.raises(LaunchError, match=missing):
        names_real_xero({given: REAL[given]})


def test_empty_variables_count_as_not_set() -> None:
    environment = told(dict.fromkeys((*REAL, "AUTH_ISSUER", "ENCRYPTION_KEY"), ""))

    assert environment["XERO_CLIENT_ID"].startswith("sandbox-")
    assert len(environment["ENCRYPTION_KEY"]) == 64


def test_every_run_has_secrets_of_its_own_and_shows_none() -> None:
    first, second = told({}), told({})

    assert first["ENCRYPTION_KEY"] != second["ENCRYPTION_KEY"]
    assert first["XERO_CLIENT_SECRET"] != second["XERO_CLIENT_SECRET"]
    app = XeroApp()
    assert app.client_secret not in repr(app)


def test_the_page_is_served_only_where_there_is_one(tmp_path: Path) -> None:
    assert "SPA_DIR" not in told({"SPA_DIR": "/elsewhere"})
    assert told({}, page=tmp_path)["SPA_DIR"] == str(tmp_path)


def test_a_neutral_environment_has_none_of_the_services_variables() -> None:
    ambient = {"PATH": "/bin", "SPA_DIR": "x", "LOG_LEVEL": "DEBUG", "AUTH_AUDIENCE": "x"} | REAL

    assert without_service_variables(ambient) == {"PATH": "/bin"}
