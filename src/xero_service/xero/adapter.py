"""XeroAdapter: each thing this service asks of Xero is one method."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt
from authlib.common.security import generate_token

from xero_service.domain import Connections, Consent, TokenSet
from xero_service.errors import SignInUnavailable, XeroInvalidResponse
from xero_service.jwks import KeySet, with_and_without_slash
from xero_service.xero import oauth, responses
from xero_service.xero.api_client import XeroApiClient
from xero_service.xero.http import LARGE_RESPONSE, HttpClient
from xero_service.xero.oauth import XeroEndpoints

CLOCK_LEEWAY = timedelta(seconds=5)  # xero-node allows the same (facts §12)
VERIFIER_LENGTH = 64  # RFC 7636 §4.1: 43 to 128 characters


class XeroAdapter:
    """Speaks OAuth 2.0 and the connections API with Xero (facts §1)."""

    def __init__(
        self,
        endpoints: XeroEndpoints,
        transport: HttpClient,
        tokens: HttpClient,
        keys: KeySet,
        revocations: HttpClient | None = None,
    ) -> None:
        """Use `tokens` for the token endpoint alone, so that hung refreshes stop nothing else.

        `keys` are for Xero's id_tokens, `revocations` for the revocation endpoint where it is
        not `transport`, which is for the rest.
        """
        self._xero = endpoints
        self._transport = transport
        self._tokens = tokens
        self._revocations = revocations or transport
        self._keys = keys

    @staticmethod
    def new_verifier() -> str:
        """Make a PKCE verifier for one attempt."""
        return str(generate_token(VERIFIER_LENGTH))

    def get_auth_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Return the consent page's address, with the S256 challenge of `verifier`."""
        return oauth.authorization_url(self._xero, state=state, nonce=nonce, verifier=verifier)

    async def load_signing_keys(self) -> None:
        """Have Xero's signing keys at hand before a code is exchanged.

        Raises SignInUnavailable where they cannot be had.
        """
        await self._keys.load()

    async def exchange_code(
        self, *, code: str, verifier: str, nonce: str, now: datetime | None = None
    ) -> Consent:
        """Exchange a code once and verify who consented (OIDC core §3.1.3.7).

        `now`: the time that expiry is judged by, where this process's clock is not to be trusted.

        Raises ExternalAPIError as `refresh_tokens` does, XeroInvalidResponse for an id_token
        that does not hold.
        """
        tokens = await oauth.exchange_code(self._xero, self._tokens, code=code, verifier=verifier)
        return await self._verified(tokens, nonce, now or datetime.now(UTC))

    async def refresh_tokens(self, refresh_token: str) -> TokenSet:
        """Spend a refresh token; never repeated blindly, and read to its end.

        Raises InvalidGrant, XeroMisconfigured, RateLimitError, XeroUnreachable (not sent),
        XeroNoResponse (sent, no answer), XeroInvalidResponse or ExternalAPIError.
        """
        return await oauth.refresh(self._xero, self._tokens, refresh_token)

    async def get_tenants(self, access_token: str) -> Connections:
        """Return every connection of the token's Xero user to our app.

        Raises XeroAccessRefused for a refused token, else ExternalAPIError.
        """
        answer = await self._transport.send(
            "GET",
            f"{self._xero.api_url}/connections",
            headers={"Authorization": f"Bearer {access_token}", "Accept": "application/json"},
            at_most=LARGE_RESPONSE,
        )
        return responses.read_connections(answer)

    async def delete_connection(self, access_token: str, connection_id: str) -> None:
        """Disconnect one tenant of the token's user; 404 says that it already is.

        Raises XeroAccessRefused for 401 and 403, else ExternalAPIError.
        """
        answer = await self._transport.send(
            "DELETE",
            f"{self._xero.api_url}/connections/{quote(connection_id, safe='')}",
            headers={"Authorization": f"Bearer {access_token}"},
        )
        if answer.status not in {200, 204, 404}:
            raise responses.api_error(answer)

    async def revoke_token(self, refresh_token: str) -> None:
        """End the user's consent and all connections of user and app (facts §1.9).

        An unknown token counts as revoked (RFC 7009 §2.2), in whichever words Xero says so.
        Raises ExternalAPIError.
        """
        await oauth.revoke(self._xero, self._revocations, refresh_token)

    def get_api_client(self, access_token: str, tenant_id: str) -> XeroApiClient:
        """Return a client that adds the token and the tenant to every request."""
        return XeroApiClient(self._transport, self._xero.api_url, tenant_id, access_token)

    async def _verified(self, tokens: TokenSet, nonce: str, now: datetime) -> Consent:
        who = await self._claims(tokens.id_token, now, audience=self._xero.client_id)
        if who.get("nonce") != nonce:
            raise XeroInvalidResponse("The id_token belongs to another attempt.")
        access = await self._claims(tokens.access_token, now, audience=None)
        xero_user_id = who.get("xero_userid")
        if not responses.is_opaque(xero_user_id) or access.get("xero_userid") != xero_user_id:
            raise XeroInvalidResponse("The id_token and the access token name different users.")
        event = access.get("authentication_event_id")
        return Consent(
            tokens=tokens,
            xero_user_id=xero_user_id,
            authentication_event_id=event if responses.is_opaque(event) else None,
            xero_name=responses.as_text(who.get("name")) or _full_name(who),
            xero_email=responses.as_text(who.get("email")),
            issued_at=_moment(who.get("iat")),
        )

    async def _claims(
        self, token: str | None, now: datetime, *, audience: str | None
    ) -> dict[str, Any]:
        """Return the claims of a token that Xero signed; the access token has no fixed audience."""
        try:
            header = jwt.get_unverified_header(token or "")
            # Loaded before the code was sent: nothing may delay the commit of what came for it.
            key = self._keys.known(header.get("kid")) or await self._keys.find(header.get("kid"))
            if key is None:
                raise XeroInvalidResponse("A token is signed with an unknown key.")
            claims = jwt.decode(
                token or "",
                key,
                algorithms=["RS256"],
                issuer=with_and_without_slash(self._xero.issuer),
                audience=audience,
                options={
                    "require": ["exp", "iss"],
                    "verify_aud": audience is not None,
                    # Ours may be the clock that is wrong, and the set is the only copy.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            expires = _moment(claims["exp"])
            if expires is None or expires + CLOCK_LEEWAY <= now:
                raise XeroInvalidResponse("A token of Xero's answer has expired.")
            return claims
        except (jwt.PyJWTError, SignInUnavailable) as error:
            raise XeroInvalidResponse("A token of Xero's answer does not verify.") from error


def _moment(seconds: Any) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 2**32:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def refreshed_for(tokens: TokenSet, xero_user_id: str) -> TokenSet:
    """Return a refreshed set unless it plainly names another Xero user.

    Read without verifying: the set came straight from Xero, and nothing is granted by it.
    """
    try:
        claims = jwt.decode(tokens.access_token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return tokens
    if claims.get("xero_userid", xero_user_id) != xero_user_id:
        raise XeroInvalidResponse("Xero answered with another user's tokens.")
    return tokens


def _full_name(claims: Mapping[str, Any]) -> str | None:
    parts = (
        responses.as_text(claims.get("given_name")),
        responses.as_text(claims.get("family_name")),
    )
    return " ".join(part for part in parts if part) or None
