"""The records of Xero: users, organisations, consents, tokens and connections."""

from dataclasses import dataclass, field
from typing import Literal

OrgStatus = Literal["active", "offline", "deleted", "trial_ended"]
Role = Literal["adviser", "standard", "read_only"]

CONNECTING_ROLES: frozenset[Role] = frozenset({"adviser", "standard"})


@dataclass
class XeroUser:
    """A user of Xero; `key` is a stable name that only the sandbox uses."""

    key: str
    xero_user_id: str
    email: str
    given_name: str
    family_name: str

    @property
    def name(self) -> str:
        """The full name, as in the id_token."""
        return f"{self.given_name} {self.family_name}"


@dataclass
class Org:
    """A tenant; `members` maps a xero_userid to its role."""

    tenant_id: str
    name: str
    tenant_type: Literal["ORGANISATION", "PRACTICE", "PRACTICEMANAGER"] = "ORGANISATION"
    country: str = "NZ"
    currency: str = "NZD"
    is_demo: bool = False
    status: OrgStatus = "active"
    members: dict[str, Role] = field(default_factory=dict)

    def admits(self, user: XeroUser) -> bool:
        """Whether this user may connect an app to the organisation, and use it (facts §4.7)."""
        exists = self.status in ("active", "offline")
        return exists and self.members.get(user.xero_user_id) in CONNECTING_ROLES


@dataclass(frozen=True)
class AuthEvent:
    """One consent; tokens keep its id and time through every refresh (facts §2.1)."""

    id: str
    time: float
    session_id: str


@dataclass
class Grant:
    """One user's permission for the app; scopes are only ever added (facts §4.2)."""

    id: str
    user: XeroUser
    scopes: dict[str, None] = field(default_factory=dict)
    revoked: bool = False
    tokens: list["RefreshToken"] = field(default_factory=list)
    access_tokens: int = 0  # the number minted
    refused_access_tokens: int = 0  # those up to this number are refused before their expiry

    def next_serial(self) -> int:
        """Count a new access token and return its number."""
        self.access_tokens += 1
        return self.access_tokens


@dataclass
class Code:
    """An authorisation code and the values it is bound to."""

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
    """The tokens of one response of the token endpoint."""

    access_token: str = field(repr=False)
    scope: str
    id_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass
class RefreshToken:
    """A refresh token and its history; `first_result` is the token set of its first use."""

    value: str = field(repr=False)
    grant: Grant
    event: AuthEvent
    generation: int
    created_at: float
    first_used_at: float | None = None
    accepted: int = 0
    dead: bool = False
    first_result: TokenSet | None = field(default=None, repr=False)


@dataclass
class Connection:
    """A tenant that one user linked to the app; a deleted one is kept, to be reconnected."""

    id: str
    user: XeroUser
    tenant_id: str
    auth_event_id: str
    created_at: float
    updated_at: float
    deleted: bool = False
