"""The things Xero keeps: users, organisations, consents, tokens and connections."""

from dataclasses import dataclass, field
from typing import Literal

OrgStatus = Literal["active", "offline", "deleted", "trial_ended"]
Role = Literal["adviser", "standard", "read_only"]

CONNECTING_ROLES: frozenset[Role] = frozenset({"adviser", "standard"})


@dataclass
class XeroUser:
    """Somebody who can sign in to Xero; `key` is the sandbox's stable name for them."""

    key: str
    xero_user_id: str
    email: str
    given_name: str
    family_name: str

    @property
    def name(self) -> str:
        """The full name, as the id_token has it."""
        return f"{self.given_name} {self.family_name}"


@dataclass
class Org:
    """A tenant, and who belongs to it in which role (by xero_userid)."""

    tenant_id: str
    name: str
    tenant_type: Literal["ORGANISATION", "PRACTICE", "PRACTICEMANAGER"] = "ORGANISATION"
    country: str = "NZ"
    currency: str = "NZD"
    is_demo: bool = False
    status: OrgStatus = "active"
    members: dict[str, Role] = field(default_factory=dict)

    def admits(self, user: XeroUser) -> bool:
        """Whether this user may connect an app here, and use it (facts 4.7)."""
        exists = self.status in ("active", "offline")
        return exists and self.members.get(user.xero_user_id) in CONNECTING_ROLES


@dataclass(frozen=True)
class AuthEvent:
    """One consent; its id and time stay in the tokens through every refresh (facts 2.1)."""

    id: str
    time: float
    session_id: str


@dataclass
class Grant:
    """One user's consent to the app; scopes only ever grow until it is revoked (facts 4.2)."""

    id: str
    user: XeroUser
    scopes: dict[str, None] = field(default_factory=dict)
    revoked: bool = False
    tokens: list["RefreshToken"] = field(default_factory=list)
    access_tokens: int = 0  # minted so far
    refused: int = 0  # of these, so many that Xero no longer takes, whatever their expiry

    def next_serial(self) -> int:
        """Count one more access token; return its number."""
        self.access_tokens += 1
        return self.access_tokens


@dataclass
class Code:
    """An authorisation code and everything it is bound to."""

    value: str = field(repr=False)
    grant: Grant
    event: AuthEvent
    redirect_uri: str
    challenge: str | None
    nonce: str | None
    expires_at: float
    used: bool = False


@dataclass(frozen=True)
class TokenSet:
    """What one answer of the token endpoint carries."""

    access_token: str = field(repr=False)
    scope: str
    id_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass
class RefreshToken:
    """A refresh token and its history; `answer` is what its first use returned."""

    value: str = field(repr=False)
    grant: Grant
    event: AuthEvent
    generation: int
    created_at: float
    first_used_at: float | None = None
    accepted: int = 0
    dead: bool = False
    answer: TokenSet | None = field(default=None, repr=False)


@dataclass
class Connection:
    """A tenant linked to the app by one user; kept when deleted, so that it can come back."""

    id: str
    user: XeroUser
    tenant_id: str
    auth_event_id: str
    created_at: float
    updated_at: float
    deleted: bool = False
