"""What Authlib's client does by itself, and what the hooks and the auth method make of it."""

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
import respx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from tests.xero.conftest import XERO
from tests.xero.raw_http import dropping, listening, with_body
from tests.xero.test_token_answers import GOOD
from xero_service.errors import InvalidGrant, XeroInvalidResponse, XeroNoResponse
from xero_service.xero import oauth
from xero_service.xero.http import HttpClient


def test_authlibs_client_is_one_of_httpx() -> None:
    """It takes httpx2 where that is installed, which could not use the transport."""
    assert issubclass(AsyncOAuth2Client, httpx.AsyncClient)


async def refreshed_by_authlib(answer: httpx.Response) -> Any:
    """What Authlib makes of a token answer without our hook."""
    with respx.mock(using="httpx") as xero:
        xero.post(XERO.token_url).mock(return_value=answer)
        async with AsyncOAuth2Client(XERO.client_id, XERO.client_secret) as client:
            return await client.refresh_token(XERO.token_url, refresh_token="old")


async def refreshed(transport: HttpClient, answer: httpx.Response) -> Any:
    with respx.mock(using="httpx") as xero:
        xero.post(XERO.token_url).mock(return_value=answer)
        return await oauth.refresh(XERO, transport, "old")


async def test_a_refusal_without_an_error_is_no_token(transport: HttpClient) -> None:
    """S32: Authlib believes it."""
    answer = httpx.Response(400, json={"title": "Bad Request"})
    assert await refreshed_by_authlib(answer)

    with pytest.raises(XeroInvalidResponse):
        await refreshed(transport, answer)


@pytest.mark.parametrize("lifetime", ["1800.0", "1.8e3"])
async def test_a_set_is_not_lost_for_the_form_of_its_lifetime_c12(
    transport: HttpClient, lifetime: str
) -> None:
    """C12: Authlib loses it."""
    answer = httpx.Response(200, json=GOOD | {"expires_in": lifetime})
    with pytest.raises(ValueError, match="invalid literal"):
        await refreshed_by_authlib(answer)

    tokens = await refreshed(transport, answer)

    assert (tokens.refresh_token, tokens.expires_in.total_seconds()) == ("refresh", 1800)


async def test_half_a_set_is_not_completed_with_the_old_token(transport: HttpClient) -> None:
    """S32: Authlib would hand the spent refresh token back as the new one."""
    answer = httpx.Response(200, json={k: v for k, v in GOOD.items() if k != "refresh_token"})
    assert (await refreshed_by_authlib(answer))["refresh_token"] == "old"

    with pytest.raises(XeroInvalidResponse):
        await refreshed(transport, answer)


async def test_no_exception_repeats_the_servers_words(transport: HttpClient) -> None:
    """S42: Authlib's does, and a server may repeat the token in them."""
    answer = httpx.Response(400, json={"error": "invalid_grant", "error_description": "canary"})
    with pytest.raises(OAuthError, match="canary"):
        await refreshed_by_authlib(answer)

    with pytest.raises(InvalidGrant) as refused:
        await refreshed(transport, answer)

    assert "canary" not in f"{refused.value!r} {refused.value.detail} {refused.value.__cause__!r}"


async def test_a_set_passes_authlib_as_it_was_read(transport: HttpClient) -> None:
    odd = GOOD | {
        "refresh_token": "ü+&=%",
        "id_token": "\ud800",
        "scope": ["a", "b"],
        "expires_in": 1799.5,
    }

    tokens = await refreshed(transport, httpx.Response(200, content=json.dumps(odd).encode()))

    assert tokens.refresh_token == "ü+&=%"
    assert tokens.id_token == "\ud800"
    assert tokens.scopes == ("a", "b")
    assert tokens.expires_in.total_seconds() == 1799.5


async def test_the_credentials_are_percent_encoded(transport: HttpClient) -> None:
    """RFC 6749 §2.3.1: Authlib leaves them as they are, and a colon would end the id."""
    xero = replace(XERO, client_id="a:b", client_secret="c%d ü")

    with respx.mock(using="httpx") as router:
        token = router.post(xero.token_url).respond(200, json=GOOD)
        revocation = router.post(xero.revocation_url).respond(200)
        await oauth.refresh(xero, transport, "old")
        await oauth.revoke(xero, transport, "old")

    expected = "Basic " + base64.b64encode(b"a%3Ab:c%25d%20%C3%BC").decode()
    for route in (token, revocation):
        assert route.calls.last.request.headers["authorization"] == expected


async def test_its_requests_have_the_limits_of_all_others(transport: HttpClient) -> None:
    """S32: Authlib would read a response however long it is, decoded too."""
    long = json.dumps(GOOD).encode() + b" " * 65_537
    bomb = gzip.compress(long)
    for answer in (with_body(long), with_body(bomb, "Content-Encoding: gzip")):
        async with listening(answer) as wire:
            with pytest.raises(XeroInvalidResponse):
                await oauth.refresh(replace(XERO, token_url=wire.url), transport, "old")


async def test_a_request_whose_answer_was_lost_is_not_sent_again(transport: HttpClient) -> None:
    async with listening(dropping) as wire:
        with pytest.raises(XeroNoResponse):
            await oauth.refresh(replace(XERO, token_url=wire.url), transport, "old")

    assert len(wire.requests) == 1


async def test_a_client_is_used_for_one_request_alone(
    transport: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Authlib's client keeps the tokens that it got, for requests of whatever user."""
    used: list[int] = []
    request = AsyncOAuth2Client.request

    async def noting(self: Any, *arguments: Any, **options: Any) -> Any:
        assert self.token is None
        used.append(id(self))
        kept.append(self)
        return await request(self, *arguments, **options)

    kept: list[Any] = []
    monkeypatch.setattr(AsyncOAuth2Client, "request", noting)
    for _ in range(2):
        await refreshed(transport, httpx.Response(200, json=GOOD))

    assert len(set(used)) == 2
