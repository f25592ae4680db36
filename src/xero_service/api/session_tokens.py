"""Verifies session tokens: a JWT (RFC 7519, checked by RFC 8725) becomes a principal.

Clerk's tokens of both versions are the default mapping (Clerk facts §1.1, §1.5); any issuer
that signs the same claims works.
"""

import time
from dataclasses import dataclass
from typing import Any

import jwt

from xero_service.domain import Role, SessionUser
from xero_service.errors import AuthError, SessionPending
from xero_service.jwks import KeySet, with_and_without_slash
from xero_service.telemetry import logger

log = logger(__name__)
LEEWAY_SECONDS = 5
LONGEST_TOKEN = 8192
LONGEST_ID = 255
SESSION_CATEGORY = "cl_B7d4PD111AAA"  # Clerk's `cat` of session tokens
REQUIRED_CLAIMS = ("exp", "iat", "iss", "sub", "sid")


@dataclass(frozen=True, slots=True)
class SessionVerifier:
    """Verifies the session tokens of one configured issuer."""

    issuer: str
    keys: KeySet
    authorized_parties: frozenset[str]
    audience: str | None = None

    async def verify(self, token: str) -> SessionUser:
        """Return the user of a session token.

        Raises AuthError with the same message for every fault, SessionPending for a
        session with an open task, SignInUnavailable where no key was fetched yet.
        """
        claims = await self._claims(token)
        if str(claims.get("azp")) not in self.authorized_parties:
            raise _rejection("authorized party")
        if not str(claims["sub"]).startswith("user_"):
            raise _rejection("subject")  # machines are `mch_…`
        if (state := claims.get("sts", "active")) != "active":
            raise SessionPending if state == "pending" else _rejection("session state")
        return _principal(claims)

    async def identify_allowing_expired(
        self, token: str, *, expired_for_at_most: float
    ) -> SessionUser:
        """Return the user of a genuine token for a comparison; it never grants access.

        Checks signature, issuer and expiry only, and accepts a token that expired at most so many
        seconds ago. Raises AuthError or SignInUnavailable.
        """
        return _principal(await self._claims(token, expired_for_at_most=expired_for_at_most))

    async def _claims(self, token: str, *, expired_for_at_most: float = 0) -> dict[str, Any]:
        """Return the claims of a genuine token that is not too old."""
        if len(token) > LONGEST_TOKEN or token.count(".") != 2:
            raise _rejection("form")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ", "JWT") != "JWT" or header.get("alg") != "RS256":
                raise _rejection("type or algorithm")
            if header.get("cat", SESSION_CATEGORY) != SESSION_CATEGORY:
                raise _rejection("category")
            key = await self.keys.find(header.get("kid"))
            if key is None:
                raise _rejection("signing key")
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=with_and_without_slash(self.issuer),
                audience=self.audience,
                leeway=LEEWAY_SECONDS,
                options={
                    "require": list(REQUIRED_CLAIMS),
                    "verify_aud": self.audience is not None,
                    "verify_exp": False,
                },
            )
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
            raise _rejection(_failed_check(error)) from error
        if not _is_time(claims["exp"]):
            raise _rejection("expiry")
        if claims["exp"] + LEEWAY_SECONDS + expired_for_at_most <= time.time():
            raise _rejection("expiry")
        return claims


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _principal(claims: dict[str, Any]) -> SessionUser:
    """Map version 2 (`o`) and version 1 (`org_id`, `org_role`) to the same principal."""
    version = claims.get("v")
    if version == 2:
        org = claims.get("o")
        org_id, role = (org.get("id"), org.get("rol")) if isinstance(org, dict) else (None, None)
    elif version is None or version == 1:
        org_id, role = claims.get("org_id"), claims.get("org_role")
    else:
        raise _rejection("version")
    actor = claims.get("act")
    user = SessionUser(
        user_id=claims["sub"],
        org_id=org_id if isinstance(org_id, str) and org_id else None,
        role=Role.ADMIN if str(role).removeprefix("org:") == "admin" else Role.MEMBER,
        impersonator=None if actor is None else _subject(actor),
    )
    if not all(map(_can_be_an_id, (user.user_id, user.org_id or "-", user.impersonator or "-"))):
        raise _rejection("ids")
    return user


def _can_be_an_id(text: str) -> bool:
    """Whether a text is short and printable, so that the database and the log can hold it."""
    return len(text) <= LONGEST_ID and text.isprintable()


def _subject(actor: Any) -> str:
    return str(actor.get("sub", "unknown")) if isinstance(actor, dict) else "unknown"


def _failed_check(error: Exception) -> str:
    """Return the name of the check that failed; the library's message may repeat a claim."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"claim {error.claim}"
    checks: tuple[tuple[type[Exception], str], ...] = (
        (jwt.InvalidSignatureError, "signature"),
        (jwt.InvalidIssuerError, "issuer"),
        (jwt.InvalidAudienceError, "audience"),
        (jwt.ImmatureSignatureError, "not yet valid"),
        (jwt.InvalidIssuedAtError, "issued at"),
    )
    return next((check for kind, check in checks if isinstance(error, kind)), "form")


def _rejection(check: str) -> AuthError:
    """Return the error for the caller, and log the check that failed for an operator."""
    log.info("a session was refused", check=check)
    return AuthError("The session token is missing, expired or not valid.")
