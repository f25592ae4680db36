"""The session issuer: sessions, and session tokens in the format of Clerk's version 1 and 2."""

import secrets
import time
from typing import Any, Literal

from xero_sandbox.session_people import ORGS, PEOPLE, OrgRole, Person
from xero_sandbox.signing_keys import SigningKeys

LIFETIME = 60
NOT_BEFORE_LEEWAY = 10
SESSION_CATEGORY = "cl_B7d4PD111AAA"
_PERMISSIONS: dict[OrgRole, tuple[str, ...]] = {"admin": ("manage", "read"), "member": ("read",)}


class NoSuchSession(LookupError):
    """The session does not exist or has been signed out."""


class NotAMember(LookupError):
    """The person has no role in that org."""


class SessionIssuer:
    """The open sessions and the key that signs their tokens; it uses real time, not the clock."""

    def __init__(self, issuer: str) -> None:
        self.keys = SigningKeys()
        self._issuer = issuer
        self._sessions: dict[str, Person] = {}

    def reset(self) -> None:
        """End all sessions."""
        self._sessions.clear()

    def sign_in(self, person_id: str) -> tuple[str, Person]:
        """Open a session and return its id and person; raises LookupError for an unknown person."""
        person = PEOPLE[person_id]
        session_id = f"sess_{secrets.token_hex(12)}"
        self._sessions[session_id] = person
        return session_id, person

    def sign_out(self, session_id: str) -> None:
        """End a session, if it is open."""
        self._sessions.pop(session_id, None)

    def mint_token(
        self,
        session_id: str,
        *,
        org_id: str | None,
        version: Literal[1, 2],
        azp: str | None,
        lifetime: int = LIFETIME,
        claims: dict[str, Any] | None = None,
        header: dict[str, Any] | None = None,
    ) -> tuple[str, int]:
        """Return a token and its expiry; `claims` override the usual ones, and None removes one."""
        person = self._sessions.get(session_id)
        if person is None:
            raise NoSuchSession(session_id)
        if org_id is not None and org_id not in person.roles:
            raise NotAMember(org_id)
        payload = self._common_claims(person, session_id, azp, lifetime)
        payload |= _version_2(person, org_id) if version == 2 else _version_1(person, org_id)
        payload = {
            name: value for name, value in (payload | (claims or {})).items() if value is not None
        }
        token = self.keys.sign(payload, {"cat": SESSION_CATEGORY, **(header or {})})
        return token, int(payload.get("exp", 0))

    def _common_claims(
        self, person: Person, session_id: str, azp: str | None, lifetime: int
    ) -> dict[str, Any]:
        now = int(time.time())
        return {
            "azp": azp,
            "exp": now + lifetime,
            "fva": [0, -1],
            "iat": now,
            "iss": self._issuer,
            "nbf": now - NOT_BEFORE_LEEWAY,
            "sid": session_id,
            "sub": person.id,
        }


def _version_2(person: Person, org_id: str | None) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "v": 2,
        "sts": "active",
        "pla": "u:free",
        "jti": secrets.token_hex(10),
    }
    if org_id is None:
        return claims
    permissions = _PERMISSIONS[person.roles[org_id]]
    return claims | {
        "pla": "o:free",
        "fea": "o:integrations",
        "o": {
            "id": org_id,
            "slg": ORGS[org_id].slug,
            "rol": person.roles[org_id],
            "per": ",".join(permissions),
            "fpm": str(2 ** len(permissions) - 1),
        },
    }


def _version_1(person: Person, org_id: str | None) -> dict[str, Any]:
    if org_id is None:
        return {}
    role = person.roles[org_id]
    return {
        "org_id": org_id,
        "org_slug": ORGS[org_id].slug,
        "org_role": f"org:{role}",
        "org_permissions": [f"org:integrations:{name}" for name in _PERMISSIONS[role]],
    }
