"""The OAuth client: Authlib's, with a strict reading of token responses as its compliance hook.

A client makes one request. It holds the tokens of its response, and as a client of several users
it would send the last one's with any request that says nothing else.
"""

import base64
import json
import warnings
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx

from xero_service.domain import TokenSet
from xero_service.errors import InvalidGrant
from xero_service.timeouts import LATE_ANSWER_SECONDS
from xero_service.xero import responses
from xero_service.xero.http import DEFAULT_HEADERS, HttpClient, read_response, translated_errors

with warnings.catch_warnings():
    # It warns that it prefers httpx2, which respx does not support yet (ADR 0006).
    from authlib.deprecate import AuthlibDeprecationWarning

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client


@dataclass(frozen=True, slots=True)
class XeroEndpoints:
    """Where Xero is, and who we are to it."""

    authorize_url: str
    token_url: str
    revocation_url: str
    issuer: str
    api_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...]


def authorization_url(xero: XeroEndpoints, *, state: str, nonce: str, verifier: str) -> str:
    """Return the consent page's address, with the S256 challenge of `verifier`.

    Scopes are joined with %20: Xero is reported to refuse the plus sign (facts §1.1), with which
    Authlib joins them. A plus sign of a value is encoded, so each that is left is a space.
    """
    client = AsyncOAuth2Client(
        xero.client_id,
        redirect_uri=xero.redirect_uri,
        code_challenge_method="S256",
        transport=httpx.AsyncBaseTransport(),
    )
    address, _ = client.create_authorization_url(
        xero.authorize_url,
        state=state,
        nonce=nonce,
        code_verifier=verifier,
        scope=list(xero.scopes),
    )
    page, _, query = str(address).partition("?")
    return f"{page}?{query.replace('+', '%20')}"


async def exchange_code(
    xero: XeroEndpoints, http: HttpClient, *, code: str, verifier: str
) -> TokenSet:
    """Spend an authorization code. Raises as `responses.read_token_set` and HttpClient do."""
    with translated_errors():
        token = await _client(xero, http, read_within=LATE_ANSWER_SECONDS).fetch_token(
            xero.token_url,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            headers={"Accept": "application/json"},
        )
    return _token_set(token)


async def refresh(xero: XeroEndpoints, http: HttpClient, refresh_token: str) -> TokenSet:
    """Spend a refresh token, once. Raises as `responses.read_token_set` and HttpClient do."""
    with translated_errors():
        token = await _client(xero, http, read_within=LATE_ANSWER_SECONDS).refresh_token(
            xero.token_url, refresh_token=refresh_token, headers={"Accept": "application/json"}
        )
    return _token_set(token)


async def revoke(xero: XeroEndpoints, http: HttpClient, refresh_token: str) -> None:
    """Revoke a refresh token; an unknown one counts as revoked (RFC 7009 §2.2).

    Raises as `responses.token_error` says and as HttpClient does.
    """
    with translated_errors():
        answer = await _client(xero, http).revoke_token(
            xero.revocation_url, token=refresh_token, token_type_hint="refresh_token"
        )
    response = read_response(answer)
    if response.status == 200:
        return
    error = responses.token_error(response)
    if not isinstance(error, InvalidGrant):
        raise error


def _client(
    xero: XeroEndpoints, http: HttpClient, *, read_within: float | None = None
) -> AsyncOAuth2Client:
    """Return a client over the pool of `http`, which closes it."""
    client = AsyncOAuth2Client(
        xero.client_id,
        xero.client_secret,
        redirect_uri=xero.redirect_uri,
        token_endpoint_auth_method=_basic_auth,
        revocation_endpoint_auth_method=_basic_auth,
        transport=http.transport,
        timeout=http.timeouts(read_within),
        headers=DEFAULT_HEADERS,
    )
    client.register_compliance_hook("access_token_response", _only_documented)
    client.register_compliance_hook("refresh_token_response", _only_documented)
    return client


def _only_documented(response: httpx.Response) -> httpx.Response:
    """Return a response that holds the token set alone; raise what any other response means.

    Authlib itself would take a 400 without `error` for a token, would lose a set whose lifetime
    is "1800.0", and would repeat the server's words in its exceptions.
    """
    tokens = responses.read_token_set(read_response(response))
    token = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in.total_seconds(),
        "scope": tokens.scopes,
        "id_token": tokens.id_token,
    }
    return httpx.Response(200, content=json.dumps(token).encode())


def _token_set(token: dict[str, Any]) -> TokenSet:
    return TokenSet(
        access_token=token["access_token"],
        refresh_token=token["refresh_token"],
        expires_in=timedelta(seconds=token["expires_in"]),
        scopes=tuple(token["scope"]),
        id_token=token["id_token"],
    )


def _basic_auth(
    client: Any, _: str, url: str, headers: MutableMapping[str, str], body: Any
) -> tuple[str, MutableMapping[str, str], Any]:
    """Add the client's id and secret, percent-encoded (RFC 6749 §2.3.1), as Authlib does not."""
    pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return url, headers, body
