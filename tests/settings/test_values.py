"""Sources, parsing and defaults of the configuration."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.settings.conftest import COMPLETE, KEY, Environment
from xero_service.settings import Settings, load, load_database, parse_key

EXAMPLE = Path(__file__).parents[2] / ".env.example"
TEXT_KEY = "k3-Vw9!pQz7_mR2xT5sYb8LdJ0hNcG4f"


def test_what_is_not_said_has_the_documented_default(variables: Environment) -> None:
    """`.env.example` has them in brackets."""
    told = load().model_dump(mode="json", exclude={name.lower() for name in COMPLETE})

    assert told == {
        "database_pool_size": 10,
        "database_prepared_statements": True,
        "database_service_role": None,
        "encryption_key_previous": [],
        "xero_scopes": [
            "openid",
            "profile",
            "email",
            "offline_access",
            "accounting.settings.read",
            "accounting.contacts.read",
            "accounting.invoices.read",
        ],
        "xero_authorize_url": "https://login.xero.com/identity/connect/authorize",
        "xero_token_url": "https://identity.xero.com/connect/token",
        "xero_revocation_url": "https://identity.xero.com/connect/revocation",
        "xero_issuer": "https://identity.xero.com",
        "xero_jwks_url": "https://identity.xero.com/.well-known/openid-configuration/jwks",
        "xero_api_url": "https://api.xero.com",
        "xero_timeout_seconds": 10,
        "xero_webhook_key": None,
        "xero_webhook_key_previous": None,
        "auth_audience": None,
        "spa_dir": None,
        "forwarded_allow_ips": [],
        "smtp_url": None,
        "notices_from": None,
        "notices_to": [],
        "metrics_port": None,
        "metrics_host": "127.0.0.1",
        "refresh_margin_minutes": 10,
        "refresh_token_max_age_days": 45,
        "refresh_lease_seconds": 30,
        "upkeep_interval_seconds": 15,
        "audit_retention_days": 400,
        "events_retention_days": 30,
        "drain_notice_seconds": 5,
        "log_format": "json",
        "log_level": "INFO",
    }


def test_a_file_named_env_is_read(variables: Environment) -> None:
    variables.remove(*COMPLETE)
    lines = [f"{name}='{value}'\n" for name, value in COMPLETE.items()]

    Path(".env").write_text("".join(lines))

    assert load().xero_client_id == COMPLETE["XERO_CLIENT_ID"]


def test_the_environment_wins_over_the_file(variables: Environment) -> None:
    Path(".env").write_text("XERO_CLIENT_ID=of-the-file\nLOG_LEVEL=DEBUG\n")

    loaded = variables.loaded(XERO_CLIENT_ID="of-the-environment")

    assert (loaded.xero_client_id, loaded.log_level) == ("of-the-environment", "DEBUG")


def test_migrating_needs_the_database_alone(variables: Environment) -> None:
    variables.remove(*(COMPLETE.keys() - {"DATABASE_URL"}))

    assert load_database().database_url.get_secret_value() == COMPLETE["DATABASE_URL"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user@/name?host=/run/postgresql",
        "postgresql://user:p%40ss@host:5433/name?sslmode=require",
        "postgresql://host/name",
    ],
    ids=["a Unix socket", "TLS", "no user"],
)
def test_every_plain_postgresql_url_is_accepted(variables: Environment, url: str) -> None:
    assert variables.loaded(DATABASE_URL=url).database_url.get_secret_value() == url


@pytest.mark.parametrize(
    ("text", "key"), [(KEY, bytes.fromhex(KEY)), (TEXT_KEY, TEXT_KEY.encode())]
)
def test_a_key_has_two_forms(text: str, key: bytes) -> None:
    assert parse_key(text) == key


def test_the_current_key_comes_first(variables: Environment) -> None:
    loaded = variables.loaded(ENCRYPTION_KEY_PREVIOUS=TEXT_KEY)

    assert loaded.encryption_keys() == (bytes.fromhex(KEY), TEXT_KEY.encode())


def test_lists_are_separated_by_commas(variables: Environment) -> None:
    loaded = variables.loaded(AUTH_AUTHORIZED_PARTIES="https://a.example.com , https://b.test,")

    assert loaded.auth_authorized_parties == ("https://a.example.com", "https://b.test")


def test_proxies_are_addresses_and_networks(variables: Environment) -> None:
    """C10."""
    loaded = variables.loaded(FORWARDED_ALLOW_IPS="127.0.0.1, 10.1.2.3/8,2001:DB8::1")

    assert loaded.forwarded_allow_ips == ("127.0.0.1", "10.0.0.0/8", "2001:db8::1")


@pytest.mark.parametrize("start", ["xxx", "change", "your", "sample", "example", "secret", "todo"])
def test_a_secret_may_begin_like_a_placeholder(variables: Environment, start: str) -> None:
    """C14: by chance; nobody chooses the secret that Xero makes."""
    secret = f"{start}4f9Kq-27LmX0_pRt"

    assert (
        variables.loaded(XERO_CLIENT_SECRET=secret).xero_client_secret.get_secret_value() == secret
    )


@pytest.mark.parametrize("secret", ["48151623421357908642", "4815-1623_4213"])
def test_a_secret_may_have_no_letter_c14(variables: Environment, secret: str) -> None:
    """C14: a value without words holds no word of a placeholder's."""
    loaded = variables.loaded(XERO_CLIENT_SECRET=secret)

    assert loaded.xero_client_secret.get_secret_value() == secret


def test_scopes_are_separated_by_spaces(variables: Environment) -> None:
    loaded = variables.loaded(XERO_SCOPES="openid  offline_access files.read")

    assert loaded.xero_scopes == ("openid", "offline_access", "files.read")


@pytest.mark.parametrize("url", ["http://localhost:9000", "http://127.0.0.1", "http://[::1]:80"])
def test_this_machine_may_be_called_without_tls(variables: Environment, url: str) -> None:
    assert variables.loaded(XERO_API_URL=url).xero_api_url == url


@pytest.mark.parametrize("text", ["https://App.Example.com/", "https://app.example.com"])
def test_an_origin_is_kept_as_browsers_send_it(variables: Environment, text: str) -> None:
    assert variables.loaded(FRONTEND_URL=text).frontend_url == "https://app.example.com"


def test_a_lease_of_exactly_twice_the_timeout_is_long_enough(variables: Environment) -> None:
    loaded = variables.loaded(REFRESH_LEASE_SECONDS="20", XERO_TIMEOUT_SECONDS="10")

    assert loaded.refresh_policy().lease == timedelta(seconds=20)


def test_a_log_level_is_read_in_any_case(variables: Environment) -> None:
    assert variables.loaded(LOG_LEVEL="debug").log_level == "DEBUG"


def test_a_built_page_is_accepted(variables: Environment) -> None:
    (variables.directory / "index.html").write_text("<!doctype html>")

    assert variables.loaded(SPA_DIR=str(variables.directory)).spa_dir == variables.directory


def test_settings_do_not_change_once_read(variables: Environment) -> None:
    loaded = load()

    with pytest.raises(ValidationError, match="frozen"):
        loaded.log_level = "DEBUG"  # type: ignore[misc]


def example(pattern: str) -> dict[str, str]:
    return dict(re.findall(pattern, EXAMPLE.read_text(), re.MULTILINE))


def test_the_example_file_lists_exactly_what_can_be_set() -> None:
    listed = example(r"^(\w+)=(.*)$")

    assert set(listed) == {name.upper() for name in Settings.model_fields}


def test_the_example_file_marks_exactly_what_is_required() -> None:
    required = re.findall(r"^# required.*\n(\w+)=$", EXAMPLE.read_text(), re.MULTILINE)

    assert set(required) == set(COMPLETE)


def test_the_example_file_as_it_is_says_what_is_required(variables: Environment) -> None:
    variables.remove(*COMPLETE)

    Path(".env").write_text(EXAMPLE.read_text())

    faults = variables.refusal().splitlines()[1:]
    assert faults == [f"  {name} is missing" for name in sorted(COMPLETE)]


@pytest.mark.parametrize("name", ["ENCRYPTION_KEY", "XERO_CLIENT_ID", "XERO_CLIENT_SECRET"])
def test_no_value_of_the_example_file_passes_for_a_secret(
    variables: Environment, name: str
) -> None:
    """C14, S41: what stands in the file, or is suggested beside it, protects nobody."""
    (told,) = re.findall(rf"^# (.*)\n{name}=(.*)$", EXAMPLE.read_text(), re.MULTILINE)
    suggested = re.findall(r"[0-9a-zA-Z]{32,}", told[0])

    for value in (told[1], *suggested):
        assert f"\n  {name} is " in variables.refusal(**{name: value})
