"""C9: a value means the same with white space around it; an issuer and an origin in each form."""

import pytest

from tests.settings.conftest import COMPLETE, Environment

OTHER_KEY = "k3-Vw9!pQz7_mR2xT5sYb8LdJ0hNcG4f"
OPTIONAL = {
    "ENCRYPTION_KEY_PREVIOUS": OTHER_KEY,
    "DATABASE_POOL_SIZE": "7",
    "DATABASE_PREPARED_STATEMENTS": "false",
    "XERO_SCOPES": "openid offline_access",
    "XERO_ISSUER": "https://identity.xero.com",
    "AUTH_AUDIENCE": "audience",
    "LOG_LEVEL": "debug",
    "REFRESH_MARGIN_MINUTES": "5",
}
ALL = {**COMPLETE, **OPTIONAL}


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {}", "\t{} ", "\n{}\n"])
@pytest.mark.parametrize("name", ALL)
def test_white_space_at_the_ends_is_no_part_of_a_value_c9(
    variables: Environment, name: str, around: str
) -> None:
    plain = variables.loaded(**{name: ALL[name]})

    assert variables.loaded(**{name: around.format(ALL[name])}) == plain


@pytest.mark.parametrize("blank", [" ", "\n", "\t "])
def test_a_blank_value_is_none_c9(variables: Environment, blank: str) -> None:
    for name in COMPLETE:
        variables.set(**{name: blank})
    for name in OPTIONAL:
        variables.set(**{name: blank})

    faults = variables.refusal().splitlines()[1:]

    assert faults == [f"  {name} is missing" for name in sorted(COMPLETE)]


@pytest.mark.parametrize("quoted", ['"{}"', "'{}'", "`{}`", "\u201c{}\u201d", " '{}'\n"])
@pytest.mark.parametrize("name", ALL)
def test_quotes_around_a_value_are_refused_by_name_c9(
    variables: Environment, name: str, quoted: str
) -> None:
    said = variables.refusal(**{name: quoted.format(ALL[name])})

    assert said.splitlines()[1:] == [f"  {name} is in quotes: remove them"]


@pytest.mark.parametrize("name", ["AUTH_ISSUER", "XERO_ISSUER"])
def test_a_slash_at_an_issuers_end_means_nothing_c9(variables: Environment, name: str) -> None:
    loaded = variables.loaded(**{name: "https://issuer.example.com/path/"})

    assert getattr(loaded, name.lower()) == "https://issuer.example.com/path"


ORIGINS = pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://app.example.com:443", "https://app.example.com"),
        ("https://app.example.com:0443", "https://app.example.com"),
        ("https://app.example.com:", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://[0:0::1]:3000", "http://[::1]:3000"),
        ("https://Bücher.example", "https://xn--bcher-kva.example"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)


@ORIGINS
def test_an_origin_is_what_a_browser_sends_c9(
    variables: Environment, text: str, origin: str
) -> None:
    loaded = variables.loaded(FRONTEND_URL=text, PUBLIC_URL=text)

    assert (loaded.frontend_url, loaded.public_url) == (origin, origin)


@ORIGINS
def test_an_authorized_party_is_what_a_browser_sends_c9(
    variables: Environment, text: str, origin: str
) -> None:
    loaded = variables.loaded(AUTH_AUTHORIZED_PARTIES=f"{text}, app+x://Own")

    assert loaded.auth_authorized_parties == (origin, "app+x://Own")


@pytest.mark.parametrize("name", ["FRONTEND_URL", "PUBLIC_URL", "AUTH_AUTHORIZED_PARTIES"])
def test_a_host_that_no_browser_would_send_is_refused_c9(variables: Environment, name: str) -> None:
    assert f"\n  {name} must be " in variables.refusal(**{name: "https://\u2028.example"})
