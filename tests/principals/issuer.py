"""A session issuer for tests: it signs any claims, and counts requests for its keys."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from xero_service.errors import ExternalAPIError

ISSUER = "https://clerk.example.com"
ORIGIN = "https://app.example.com"
KID = "ins_one"
NOW = 1_780_000_000
SESSION: Mapping[str, Any] = {
    "v": 2,
    "iss": ISSUER,
    "sub": "user_one",
    "sid": "sess_one",
    "azp": ORIGIN,
    "iat": NOW,
    "nbf": NOW - 10,
    "exp": NOW + 60,
    "sts": "active",
    "o": {"id": "org_one", "slg": "one", "rol": "admin", "per": "read", "fpm": "1"},
}


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class HandmadeIssuer:
    """Signs tokens with one key and publishes it; `fails` takes its keys off the network."""

    private: rsa.RSAPrivateKey = field(default_factory=new_key)
    kid: str = KID
    fails: bool = False
    fetches: int = 0

    @property
    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def jwk(self, **changes: Any) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {**public, "use": "sig", "alg": "RS256", "kid": self.kid, **changes}

    async def jwks(self) -> Any:
        self.fetches += 1
        if self.fails:
            raise ExternalAPIError("The keys are away.")
        return {"keys": [self.jwk()]}

    def token(self, header: Mapping[str, Any] | None = None, /, **claims: Any) -> str:
        """Sign a session token; a claim of None is left out."""
        said = {name: value for name, value in {**SESSION, **claims}.items() if value is not None}
        return self.sign(said, header)

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        payload = json.dumps(dict(claims)).encode()
        headers = {"kid": self.kid, **(header or {})}
        return jwt.PyJWS().encode(payload, self.private, algorithm="RS256", headers=headers)
