"""Access tokens and id_tokens with the claims of Xero's (facts §2.1, §2.2)."""

import base64
import hashlib
import uuid
from typing import Any

from xero_sandbox.clock import Clock
from xero_sandbox.config import SandboxConfig
from xero_sandbox.model import AuthEvent, Grant, XeroUser
from xero_sandbox.signing_keys import SigningKeys
from xero_sandbox.switches import Switches

ACCESS_LIFETIME = 30 * 60
ID_LIFETIME = 5 * 60


class TokenMinter:
    """Mints tokens; their times follow the sandbox's clock."""

    def __init__(
        self, config: SandboxConfig, clock: Clock, keys: SigningKeys, switches: Switches
    ) -> None:
        self._config = config
        self._clock = clock
        self._keys = keys
        self._switches = switches

    def access_token(self, grant: Grant, event: AuthEvent, user: XeroUser | None = None) -> str:
        """Return an access token of the grant; a fault may put another user in it."""
        user = user or grant.user
        return self.sign(
            {
                **self._common_claims(),
                "sub": subject(user),
                "auth_time": int(event.time),
                "xero_userid": user.xero_user_id,
                "global_session_id": event.session_id,
                # The jti begins with the grant's id and the token's number in the grant, so that
                # `Grants.find_by_jti` and `Grants.is_refused` can read them.
                "jti": f"{grant.id}{grant.next_serial():08x}{uuid.uuid4().hex}",
                "authentication_event_id": event.id,
                "amr": ["pwd", "mfa", "otp"],
                "scope": list(grant.scopes),
            }
        )

    def app_token(self, scopes: list[str]) -> str:
        """Return a client_credentials token; its xero_userid is all zeros (facts §2.3)."""
        return self.sign(
            {
                **self._common_claims(),
                "xero_userid": str(uuid.UUID(int=0)),
                "jti": uuid.uuid4().hex,
                "scope": scopes,
            }
        )

    def id_token(
        self, user: XeroUser, event: AuthEvent, access_token: str, nonce: str | None
    ) -> str:
        """Return an id_token; only a code exchange passes a nonce."""
        now = int(self._clock.now())
        skewed = now + self._switches.claim_skew_seconds
        claims = {
            "nbf": skewed,
            "exp": now + ID_LIFETIME,
            "iss": self._config.identity_issuer,
            "aud": self._config.client_id,
            "iat": skewed,
            "at_hash": _half_hash(access_token),
            "sid": event.session_id,
            "sub": subject(user),
            "auth_time": int(event.time),
            "idp": "local",
            "xero_userid": user.xero_user_id,
            "global_session_id": event.session_id,
            "preferred_username": user.email,
            "email": user.email,
            "given_name": user.given_name,
            "family_name": user.family_name,
            "name": user.name,
            "amr": ["pwd", "mfa", "otp"],
        }
        return self.sign(claims if nonce is None else claims | {"nonce": nonce})

    def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that the sandbox signed, expired or not; else None."""
        return self._keys.read(token)

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign claims with Xero's key, or with HMAC if the switch `cheap_tokens` is on."""
        headers = {"x5t": self._keys.current.x5t}
        if self._switches.cheap_tokens:
            return self._keys.sign_cheaply(claims, headers)
        return self._keys.sign(claims, headers)

    def _common_claims(self) -> dict[str, Any]:
        now = int(self._clock.now())
        return {
            "nbf": now + self._switches.claim_skew_seconds,
            "exp": now + ACCESS_LIFETIME,
            "iss": self._config.identity_issuer,
            "aud": f"{self._config.identity_issuer}/resources",
            "client_id": self._config.client_id,
        }


def subject(user: XeroUser) -> str:
    """Return the `sub` of this user; it is stable and differs from the xero_userid."""
    return hashlib.sha256(f"sub {user.xero_user_id}".encode()).hexdigest()[:32]


def _half_hash(token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
