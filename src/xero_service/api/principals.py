"""Who is calling: a session JWT (RFC 7519, checked as RFC 8725 asks) becomes a principal.

Clerk's tokens of both versions are the default mapping (Clerk facts §1.1, §1.5); any issuer
that signs the same claims will do.
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
        """Return who a session token speaks for.

        Raises AuthError with one and the same message whatever is wrong, SessionPending for a
        session with an open task, SignInUnavailable where no key could ever be fetched.
        """
        claims = await self._claims(token)
        if str(claims.get("azp")) not in self.authorized_parties:
            raise _refused("authorized party")
        if not str(claims["sub"]).startswith("user_"):
            raise _refused("subject")  # machines are `mch_…`
        if (state := claims.get("sts", "active")) != "active":
            raise SessionPending if state == "pending" else _refused("session state")
        return _principal(claims)

    async def identify_allowing_expired(
        self, token: str, *, expired_for_at_most: float
    ) -> SessionUser:
        """Return whom a genuine token names, whatever its session may do: to compare, not to admit.

        Only signature, issuer and expiry count, and an expiry is forgiven for so many seconds.
        Raises AuthError or SignInUnavailable.
        """
        return _principal(await self._claims(token, expired_for_at_most=expired_for_at_most))

    async def _claims(self, token: str, *, expired_for_at_most: float = 0) -> dict[str, Any]:
        """Return the claims of a genuine token that is not too old."""
        if len(token) > LONGEST_TOKEN or token.count(".") != 2:
            raise _refused("form")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ", "JWT") != "JWT" or header.get("alg") != "RS256":
                raise _refused("type or algorithm")
            if header.get("cat", SESSION_CATEGORY) != SESSION_CATEGORY:
                raise _refused("category")
            key = await self.keys.find(header.get("kid"))
            if key is None:
                raise _refused("signing key")
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
            raise _refused(_failed_check(error)) from error
        if not _is_time(claims["exp"]):
            raise _refused("expiry")
        if claims["exp"] + LEEWAY_SECONDS + expired_for_at_most <= time.time():
            raise _refused("expiry")
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
        raise _refused("version")
    actor = claims.get("act")
    user = SessionUser(
        user_id=claims["sub"],
        org_id=org_id if isinstance(org_id, str) and org_id else None,
        role=Role.ADMIN if str(role).removeprefix("org:") == "admin" else Role.MEMBER,
        impersonator=None if actor is None else _subject(actor),
    )
    if not all(map(_can_be_an_id, (user.user_id, user.org_id or "-", user.impersonator or "-"))):
        raise _refused("ids")
    return user


def _can_be_an_id(text: str) -> bool:
    """Tell whether the database can store and index a text, and a log can show it.

    Not one with a NUL or another control character, with half a surrogate pair, or of kilobytes.
    """
    return len(text) <= LONGEST_ID and text.isprintable()


def _subject(actor: Any) -> str:
    return str(actor.get("sub", "unknown")) if isinstance(actor, dict) else "unknown"


def _failed_check(error: Exception) -> str:
    """Return which check of the library failed; never its message, which may repeat a claim."""
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


def _refused(check: str) -> AuthError:
    """Log which check failed, for an operator; the caller learns nothing of it."""
    log.info("a session was refused", check=check)
    return AuthError("The session token is missing, expired or not valid.")
