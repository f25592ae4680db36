"""The claims of a session token, with the exact second of each time."""

import base64
from typing import Any

import pytest

from tests.principals.conftest import Refuses
from tests.principals.issuer import ISSUER, NOW, ORIGIN, HandmadeIssuer
from xero_service.api.session_tokens import SessionVerifier
from xero_service.errors import AuthError, SessionPending
from xero_service.jwks import KeySet


@pytest.mark.parametrize("claim", ["exp", "iat", "iss", "sub", "sid", "azp"])
async def test_a_claim_that_is_missing_makes_the_token_worthless(
    refuses: Refuses, issuer: HandmadeIssuer, claim: str
) -> None:
    """S5, S6, S7; without `sid` it is a token of a JWT template (S8)."""
    await refuses(issuer.token(**{claim: None}))


@pytest.mark.parametrize(
    "claims",
    [{"exp": NOW - 4}, {"nbf": NOW + 5}, {"iat": NOW + 5}, {"exp": NOW - 4.5}],
    ids=["4 seconds expired", "5 seconds too early", "issued in 5 seconds", "in fractions"],
)
async def test_clocks_may_differ_a_little(
    verifier: SessionVerifier, issuer: HandmadeIssuer, claims: dict[str, Any]
) -> None:
    """S5: a leeway of five seconds, exactly."""
    assert (await verifier.verify(issuer.token(**claims))).user_id == "user_one"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 5},
        {"exp": NOW - 3600},
        {"exp": 0},
        {"nbf": NOW + 6},
        {"iat": NOW + 6},
    ],
    ids=["5 seconds expired", "an hour expired", "never valid", "6 too early", "issued in 6"],
)
async def test_but_not_more_than_a_little(
    refuses: Refuses, issuer: HandmadeIssuer, claims: dict[str, Any]
) -> None:
    """S5."""
    await refuses(issuer.token(**claims))


@pytest.mark.parametrize("exp", ["soon", True, [], {}, float("nan"), 10**400, str(NOW)])
async def test_an_expiry_that_is_no_time_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, exp: Any
) -> None:
    await refuses(issuer.token(exp=exp))


@pytest.mark.parametrize(("since_expiry", "believed"), [(604, True), (605, False)])
async def test_an_expiry_is_forgiven_for_as_long_as_was_asked(
    verifier: SessionVerifier, issuer: HandmadeIssuer, since_expiry: int, believed: bool
) -> None:
    """S29: its user was at Xero meanwhile."""
    token = issuer.token(exp=NOW - since_expiry)

    try:
        await verifier.identify_allowing_expired(token, expired_for_at_most=600)
    except AuthError:
        assert not believed
    else:
        assert believed


@pytest.mark.parametrize(
    "iss", ["https://clerk.other.example.com", ISSUER + "//", ISSUER.upper(), "", [ISSUER]]
)
async def test_another_issuer_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, iss: Any
) -> None:
    """S6."""
    await refuses(issuer.token(iss=iss))


@pytest.mark.parametrize("azp", ["https://evil.test", ORIGIN + "/", "", [ORIGIN]])
async def test_a_page_that_is_not_listed_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, azp: Any
) -> None:
    """S7."""
    await refuses(issuer.token(azp=azp))


async def test_every_listed_page_may_call(
    verifier: SessionVerifier, issuer: HandmadeIssuer
) -> None:
    token = issuer.token(azp="https://other.example.com")

    assert (await verifier.verify(token)).user_id == "user_one"


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({}, {"sub": "mch_one"}),
        ({"cat": "cl_B7d4PD333AAA"}, {}),
        ({"cat": "cl_B7d4PD333AAA"}, {"sub": "mch_one", "azp": None, "sid": None}),
        ({"typ": "at+jwt"}, {}),
        ({}, {"sub": "not-a-user"}),
        ({}, {"sid": None, "v": None, "aud": "another-service"}),
    ],
    ids=["a machine", "its category", "both", "an OAuth access token", "no user", "a template"],
)
async def test_a_token_for_something_else_is_no_session(
    refuses: Refuses, issuer: HandmadeIssuer, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    """S8."""
    await refuses(issuer.token(header, **claims))


async def test_an_id_token_of_the_same_issuer_is_no_session(
    refuses: Refuses, issuer: HandmadeIssuer
) -> None:
    """S8."""
    said = {"iss": ISSUER, "sub": "user_one", "aud": "client", "iat": NOW, "exp": NOW + 60}

    await refuses(issuer.sign({**said, "nonce": "n"}))


async def test_a_session_with_an_open_task_is_told_so(
    verifier: SessionVerifier, issuer: HandmadeIssuer
) -> None:
    """S9."""
    with pytest.raises(SessionPending) as refused:
        await verifier.verify(issuer.token(sts="pending"))

    assert (refused.value.status, refused.value.code) == (401, "session_pending")


@pytest.mark.parametrize("claims", [{"exp": NOW - 60}, {"azp": "https://evil.test"}])
async def test_only_a_token_that_would_hold_is_told_about_its_open_task(
    refuses: Refuses, issuer: HandmadeIssuer, claims: dict[str, Any]
) -> None:
    """S9."""
    await refuses(issuer.token(sts="pending", **claims))


@pytest.mark.parametrize("sts", ["expired", "", "ACTIVE", 1, ["active"]])
async def test_any_other_state_of_a_session_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, sts: Any
) -> None:
    """S9."""
    await refuses(issuer.token(sts=sts))


@pytest.fixture
def particular(issuer: HandmadeIssuer) -> SessionVerifier:
    """A verifier that insists on an audience."""
    return SessionVerifier(ISSUER, KeySet(issuer.jwks), frozenset({ORIGIN}), audience="xero")


@pytest.mark.parametrize("aud", ["xero", ["xero", "other"]])
async def test_the_configured_audience_is_accepted(
    particular: SessionVerifier, issuer: HandmadeIssuer, aud: Any
) -> None:
    assert (await particular.verify(issuer.token(aud=aud))).user_id == "user_one"


@pytest.mark.parametrize("aud", [None, "other", [], ["other"], "xer"])
async def test_any_other_audience_is_refused(
    particular: SessionVerifier, issuer: HandmadeIssuer, aud: Any
) -> None:
    with pytest.raises(AuthError):
        await particular.verify(issuer.token(aud=aud))


ODD = [
    "user_\x00",
    "user_a\x00b",
    "user_\n",
    "user_\x1b[2J",
    "user_\x85",
    "user_\ud800",
    "user_\u202e",
]
TOO_LONG = "user_" + "x" * 300


@pytest.mark.parametrize("odd", [*ODD, TOO_LONG], ids=ascii)
async def test_an_id_that_no_database_stores_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, odd: str
) -> None:
    """B11: of the user, of the org in either version, and of who acts for the user."""
    await refuses(issuer.token(sub=odd))
    await refuses(issuer.token(o={"id": odd, "rol": "admin"}))
    await refuses(issuer.token(v=1, o=None, org_id=odd, org_role="org:admin"))
    await refuses(issuer.token(act={"sub": odd}))


@pytest.mark.parametrize("version", ["\x00", ["o"], 10**400])
async def test_an_odd_version_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, version: Any
) -> None:
    """B11."""
    await refuses(issuer.token(v=version))


@pytest.mark.parametrize("claim", ["iat", "nbf", "exp"])
async def test_an_endless_time_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, claim: str
) -> None:
    """B11."""
    await refuses(issuer.token(**{claim: float("inf")}))


async def test_a_token_nested_beyond_all_reason_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer
) -> None:
    """B11: its header is read before any signature is checked."""
    nested = base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
    head, _, _ = issuer.token().split(".")
    await refuses(f"{nested[:7000]}.e30.x")
    await refuses(f"{head}.{nested[:7000]}.x")
