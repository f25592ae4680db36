"""An unusable configuration is refused at the start; the error names all faults, no value."""

import os

import pytest

from tests.settings.conftest import COMPLETE, KEY, Environment

TEXT_KEY = "k3-Vw9!pQz7_mR2xT5sYb8LdJ0hNcG4f"


@pytest.mark.parametrize("name", COMPLETE)
def test_a_missing_variable_is_named(variables: Environment, name: str) -> None:
    """S41."""
    variables.remove(name)

    assert variables.refusal() == f"The configuration is not usable:\n  {name} is missing"


@pytest.mark.parametrize("name", COMPLETE)
def test_an_empty_variable_is_a_missing_one(variables: Environment, name: str) -> None:
    assert f"\n  {name} is missing" in variables.refusal(**{name: ""})


def test_every_fault_is_named_at_once(variables: Environment) -> None:
    variables.remove("DATABASE_URL", "XERO_CLIENT_ID", "PUBLIC_URL")

    said = variables.refusal(
        ENCRYPTION_KEY="too short",
        AUTH_ISSUER="http://clerk.example.com",
        XERO_SCOPES="openid",
        LOG_FORMAT="xml",
    )

    assert [line.split()[0] for line in said.splitlines()[1:]] == [
        "AUTH_ISSUER",
        "DATABASE_URL",
        "ENCRYPTION_KEY",
        "LOG_FORMAT",
        "PUBLIC_URL",
        "XERO_CLIENT_ID",
        "XERO_SCOPES",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user@host/name",
        "sqlite:///file.db",
        "postgresql+psycopg://user@host/name",
        "postgresql://user@host",
        "host=localhost dbname=xero",
        "not a url",
    ],
)
def test_another_kind_of_database_is_refused(variables: Environment, url: str) -> None:
    assert "\n  DATABASE_URL must be a postgresql:// URL" in variables.refusal(DATABASE_URL=url)


@pytest.mark.parametrize(
    "name",
    [
        "XERO_REDIRECT_URI",
        "XERO_AUTHORIZE_URL",
        "XERO_TOKEN_URL",
        "XERO_REVOCATION_URL",
        "XERO_ISSUER",
        "XERO_JWKS_URL",
        "XERO_API_URL",
        "AUTH_ISSUER",
        "AUTH_JWKS_URL",
        "FRONTEND_URL",
        "PUBLIC_URL",
    ],
)
@pytest.mark.parametrize(
    "url",
    [
        "example.com",
        "ftp://example.com",
        "https://",
        "http://example.com",
        "https://user:password@example.com",
        "https://example.com#part",
        "https://[example.com",
        "https://[not-an-address]",
        "https://example.com:port",
        "https://example.com:99999",
    ],
)
def test_a_url_that_nobody_can_call_safely_is_refused(
    variables: Environment, name: str, url: str
) -> None:
    said = variables.refusal(**{name: url})

    assert f"\n  {name} must " in said


@pytest.mark.parametrize("name", ["FRONTEND_URL", "PUBLIC_URL"])
@pytest.mark.parametrize("url", ["https://example.com/path", "https://example.com?query"])
def test_an_origin_has_no_path(variables: Environment, name: str, url: str) -> None:
    assert f"\n  {name} must be an origin" in variables.refusal(**{name: url})


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("short", "must be 64 hexadecimal characters, or 32 characters"),
        (KEY[:-1], "must be 64 hexadecimal characters, or 32 characters"),
        (KEY + "0", "must be 64 hexadecimal characters, or 32 characters"),
        ("z" + KEY[1:], "must be 64 hexadecimal characters, or 32 characters"),
        ("é" + TEXT_KEY[1:], "must be 64 hexadecimal characters, or 32 characters"),
        ("0123456789abcdef" * 4, "is a sample"),
        ("0123456789ABCDEF" * 4, "is a sample"),
        ("0" * 64, "is a sample"),
        ("a" * 32, "is a sample"),
        ("deadbeef" * 8, "is a sample"),
    ],
)
@pytest.mark.parametrize("name", ["ENCRYPTION_KEY", "ENCRYPTION_KEY_PREVIOUS"])
def test_a_key_that_protects_nothing_is_refused(
    variables: Environment, name: str, key: str, fault: str
) -> None:
    """S41."""
    assert f"\n  {name} {fault}" in variables.refusal(**{name: key})


@pytest.mark.parametrize(
    "previous",
    [KEY, KEY.upper(), f"{TEXT_KEY},{TEXT_KEY}", f"{TEXT_KEY},{KEY}"],
    ids=["the current", "the current in capitals", "twice", "the current among others"],
)
def test_a_key_that_appears_twice_is_refused(variables: Environment, previous: str) -> None:
    """S41."""
    said = variables.refusal(ENCRYPTION_KEY_PREVIOUS=previous)

    assert "\n  ENCRYPTION_KEY_PREVIOUS contains a key twice, or the current one" in said


@pytest.mark.parametrize(
    "secret",
    [
        "changeme",
        "your-client-secret",
        "Sample_secret",
        "<secret>",
        "<your-client-secret-here>",
        "xxxxxxxxxxxx",
        "************",
        "short",
    ],
)
def test_a_sample_client_secret_is_refused(variables: Environment, secret: str) -> None:
    """S41."""
    said = variables.refusal(XERO_CLIENT_SECRET=secret)

    assert "\n  XERO_CLIENT_SECRET is a sample" in said


@pytest.mark.parametrize("secret", ["kJ8\ncanary-9f3b", "kJ8\tcanary-9f3b", "kJ8 canary 9f3b"])
def test_white_space_in_the_client_secret_is_refused(variables: Environment, secret: str) -> None:
    """Xero would answer `invalid_client` (facts §12)."""
    said = variables.refusal(XERO_CLIENT_SECRET=secret)

    assert "\n  XERO_CLIENT_SECRET contains white space" in said


@pytest.mark.parametrize("client_id", ["91E5 715B", "91E5\n715B"])
def test_white_space_in_the_client_id_is_refused(variables: Environment, client_id: str) -> None:
    """Xero would answer `invalid_client` (facts §12)."""
    said = variables.refusal(XERO_CLIENT_ID=client_id)

    assert "\n  XERO_CLIENT_ID contains white space" in said


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        ("openid accounting.settings.read", "offline_access"),
        ("offline_access accounting.settings.read", "openid"),
        ("accounting.settings.read", "offline_access and openid"),
    ],
)
def test_scopes_that_cannot_keep_a_grant_alive_are_refused(
    variables: Environment, scopes: str, missing: str
) -> None:
    """S33."""
    assert f"\n  XERO_SCOPES must contain {missing}" in variables.refusal(XERO_SCOPES=scopes)


def test_somebody_must_be_allowed_to_sign_in(variables: Environment) -> None:
    said = variables.refusal(AUTH_AUTHORIZED_PARTIES=" , ")

    assert "\n  AUTH_AUTHORIZED_PARTIES must name at least one origin" in said


@pytest.mark.parametrize(
    "party", ["*", "https://app.example.com/", "app.example.com", "https://*.b"]
)
def test_a_party_that_no_token_can_name_is_refused(variables: Environment, party: str) -> None:
    """S7: `azp` is an origin, compared as it is."""
    said = variables.refusal(AUTH_AUTHORIZED_PARTIES=f"https://a.example.com,{party}")

    assert "\n  AUTH_AUTHORIZED_PARTIES must be origins such as" in said


@pytest.mark.parametrize(("lease", "timeout"), [("19.9", "10"), ("30", "15.1")])
def test_a_lease_that_a_slow_call_outlives_is_refused(
    variables: Environment, lease: str, timeout: str
) -> None:
    said = variables.refusal(REFRESH_LEASE_SECONDS=lease, XERO_TIMEOUT_SECONDS=timeout)

    assert "\n  REFRESH_LEASE_SECONDS must be at least twice XERO_TIMEOUT_SECONDS" in said


@pytest.mark.parametrize("said", ["proxy.example.com", "10.0.0.0/33", "10.0.0.1 10.0.0.2", "*"])
def test_a_proxy_that_no_connection_can_come_from_is_refused(
    variables: Environment, said: str
) -> None:
    """C10: the server would compare it with addresses as a text, and never find it."""
    refused = variables.refusal(FORWARDED_ALLOW_IPS=f"127.0.0.1,{said}")

    assert "\n  FORWARDED_ALLOW_IPS must be addresses, networks such as" in refused


def test_a_page_that_was_not_built_is_refused(variables: Environment) -> None:
    said = variables.refusal(SPA_DIR=str(variables.directory))

    assert "\n  SPA_DIR must be a directory with an index.html" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_POOL_SIZE", "many"),
        ("DATABASE_PREPARED_STATEMENTS", "perhaps"),
        ("XERO_TIMEOUT_SECONDS", "0"),
        ("XERO_TIMEOUT_SECONDS", "nan"),
        ("REFRESH_MARGIN_MINUTES", "30"),
        ("REFRESH_TOKEN_MAX_AGE_DAYS", "60"),
        ("REFRESH_LEASE_SECONDS", "nan"),
        ("UPKEEP_INTERVAL_SECONDS", "0"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_number_or_word_out_of_range_is_refused(
    variables: Environment, name: str, value: str
) -> None:
    assert f"\n  {name} " in variables.refusal(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_URL", "smtp://mailer:hunter2@mail.example.com?tls=optional"),
        ("SMTP_URL", "mail.example.com"),
        ("NOTICES_FROM", "nobody"),
        ("NOTICES_FROM", "Two <a@example.com>, <b@example.com>"),
        ("NOTICES_TO", "team@example.com, not an address"),
        ("NOTICES_TO", "team@example.com\r\nBcc: all@example.com"),
    ],
)
def test_mail_that_could_not_be_sent_safely_is_refused(
    variables: Environment, name: str, value: str
) -> None:
    """S65."""
    mail = {"SMTP_URL": "smtp://127.0.0.1", "NOTICES_FROM": "Xero <notices@example.com>"}
    said = variables.refusal(**(mail | {name: value}))

    assert f"\n  {name} " in said
    assert "hunter2" not in said


def test_mail_has_a_sender(variables: Environment) -> None:
    """S65: and an unset sender is no fault where no mail is sent."""
    assert variables.loaded(NOTICES_TO="team@example.com").notices_to == ("team@example.com",)
    assert "\n  NOTICES_FROM is missing" in variables.refusal(SMTP_URL="smtps://mail.example.com")


@pytest.mark.parametrize(
    "name", ["DATABASE_SERVICE_ROLE", "ENCRYPTION_KEY", "XERO_CLIENT_SECRET", "XERO_WEBHOOK_KEY"]
)
def test_bytes_that_are_no_text_are_refused_by_name(variables: Environment, name: str) -> None:
    """The message has no part of the value."""
    said = variables.refusal(**{name: os.fsdecode(b"abcdefghijklmnopqrstuvwxyz\xff12345")})

    assert said.splitlines()[1:] == [f"  {name} is not text in UTF-8"]


def test_a_file_of_variables_that_is_no_text_is_refused(variables: Environment) -> None:
    (variables.directory / ".env").write_bytes(b'XERO_CLIENT_ID="a\xff"\n')

    assert "The file .env must be text in UTF-8" in variables.refusal()
