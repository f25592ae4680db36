"""C9: the log names the failed check of a session token; the response does not."""

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.principals.conftest import Refuses
from tests.principals.issuer import ISSUER, NOW, ORIGIN, HandmadeIssuer, new_key
from xero_service.api.session_tokens import SessionVerifier
from xero_service.errors import ExternalAPIError
from xero_service.jwks import KeySet, published_issuer

Token = Callable[[HandmadeIssuer], str]


@pytest.mark.parametrize(
    ("token", "check"),
    [
        (lambda i: i.token(iss="https://other.example.com"), "issuer"),
        (lambda i: i.token(iss=f"{ISSUER}//"), "issuer"),
        (lambda i: i.token(azp="https://evil.example.com"), "authorized party"),
        (lambda i: i.token(azp=None), "authorized party"),
        (lambda i: i.token(exp=NOW - 60), "expiry"),
        (lambda i: i.token(exp=None), "claim exp"),
        (lambda i: i.token(nbf=NOW + 60), "not yet valid"),
        (lambda i: i.token(iat=NOW + 60), "not yet valid"),
        (lambda i: i.token(sub="mch_one"), "subject"),
        (lambda i: i.token(sts="ended"), "session state"),
        (lambda i: i.token(v=7), "version"),
        (lambda i: i.token({"kid": "unknown"}), "signing key"),
        (lambda i: i.token({"typ": "at+jwt"}), "type or algorithm"),
        (lambda i: i.token({"cat": "other"}), "category"),
        (lambda _: HandmadeIssuer(new_key()).token(), "signature"),
        (lambda _: "no.token.here", "form"),
        (lambda _: "nothing", "form"),
    ],
)
async def test_the_check_that_failed_is_logged_c9(
    refuses: Refuses, issuer: HandmadeIssuer, token: Token, check: str
) -> None:
    presented = token(issuer)

    with capture_logs() as logs:
        await refuses(presented)

    assert logs == [{"event": "a session was refused", "check": check, "log_level": "info"}]


async def test_an_audience_that_is_not_ours_is_logged_c9(issuer: HandmadeIssuer) -> None:
    verifier = SessionVerifier(ISSUER, KeySet(issuer.jwks), frozenset({ORIGIN}), audience="ours")

    with capture_logs() as logs, pytest.raises(Exception, match="not valid"):
        await verifier.verify(issuer.token(aud="theirs"))

    assert [each["check"] for each in logs] == ["audience"]


@pytest.mark.parametrize("iss", [ISSUER, f"{ISSUER}/"])
async def test_an_issuer_may_end_with_a_slash_c9(
    verifier: SessionVerifier, issuer: HandmadeIssuer, iss: str
) -> None:
    assert (await verifier.verify(issuer.token(iss=iss))).user_id == "user_one"


def fetch_of(documents: dict[str, Any]) -> Callable[[str], Any]:
    async def fetch(url: str) -> Any:
        if url not in documents:
            raise ExternalAPIError("not found")
        return documents[url]

    return fetch


@pytest.mark.parametrize(
    ("issuer", "documents", "published"),
    [
        ("https://a.test", {}, None),
        ("https://a.test", {"https://a.test/.well-known/openid-configuration": ["x"]}, None),
        (
            "https://a.test",
            {"https://a.test/.well-known/openid-configuration": {"issuer": "https://b.test"}},
            "https://b.test",
        ),
        (
            "https://a.test",
            {
                "https://a.test/.well-known/oauth-authorization-server": {
                    "issuer": "https://a.test/"
                }
            },
            "https://a.test/",
        ),
        (
            "https://a.test/x",
            {"https://a.test/.well-known/oauth-authorization-server/x": {"issuer": "i"}},
            "i",
        ),
    ],
)
async def test_an_issuers_own_name_is_read_where_it_is_published_c9(
    issuer: str, documents: dict[str, Any], published: str | None
) -> None:
    assert await published_issuer(fetch_of(documents), issuer) == published
