"""Codes and refresh tokens: issue, rotation, grace period, revocation (facts §2.4, §2.5, §4)."""

import base64
import hashlib
import secrets
import uuid

from xero_sandbox.clock import Clock
from xero_sandbox.connections import Connections
from xero_sandbox.model import AuthEvent, Code, Grant, RefreshToken, TokenSet, XeroUser
from xero_sandbox.switches import Switches
from xero_sandbox.token_minting import TokenMinter

CODE_LIFETIME = 5 * 60
GRACE = 30 * 60
IDLE_LIFETIME = 60 * 24 * 60 * 60


class InvalidGrant(Exception):
    """A code or refresh token is invalid; the message goes to the journal, never to the client."""


class Grants:
    """Every grant with its tokens. No method awaits, so each one is atomic."""

    def __init__(
        self, clock: Clock, minter: TokenMinter, connections: Connections, switches: Switches
    ) -> None:
        self._clock = clock
        self._minter = minter
        self._connections = connections
        self._switches = switches
        self._codes: dict[str, Code] = {}
        self._tokens: dict[str, RefreshToken] = {}
        self._by_id: dict[str, Grant] = {}
        self._current: dict[str, Grant] = {}

    def reset(self) -> None:
        """Remove every grant, code and token."""
        for index in (self._codes, self._tokens, self._by_id, self._current):
            index.clear()

    @property
    def all(self) -> list[Grant]:
        """Every grant since the last reset, oldest first."""
        return list(self._by_id.values())

    def new_event(self) -> AuthEvent:
        """Return a new authentication event, for one consent."""
        return AuthEvent(str(uuid.uuid4()), self._clock.now(), uuid.uuid4().hex)

    def consent(self, user: XeroUser, scopes: tuple[str, ...]) -> Grant:
        """Add scopes to the user's grant, or create one; scopes are additive (facts §4.2)."""
        grant = self._current.get(user.xero_user_id)
        if grant is None or grant.revoked:
            grant = Grant(uuid.uuid4().hex, user)
            self._by_id[grant.id] = self._current[user.xero_user_id] = grant
        grant.scopes |= dict.fromkeys(scopes)
        if self._switches.reconsent == "supersedes_at_consent":
            self._kill(grant)
        return grant

    def issue_code(
        self,
        grant: Grant,
        event: AuthEvent,
        *,
        redirect_uri: str,
        challenge: str | None,
        nonce: str | None,
    ) -> Code:
        """Issue a code that is valid once, for five minutes."""
        code = Code(
            value=secrets.token_urlsafe(32),
            grant=grant,
            event=event,
            redirect_uri=redirect_uri,
            challenge=challenge,
            nonce=nonce,
            expires_at=self._clock.now() + CODE_LIFETIME,
        )
        self._codes[code.value] = code
        return code

    def exchange(self, value: str, *, redirect_uri: str, verifier: str | None) -> TokenSet:
        """Exchange a code for a token set.

        By default that invalidates the refresh tokens issued before (switch `reconsent`).
        """
        code = self._codes.get(value)
        if code is None or code.used or code.grant.revoked:
            raise InvalidGrant("The code is unknown, used or revoked.")
        if self._clock.now() >= code.expires_at:
            raise InvalidGrant("The code has expired.")
        if redirect_uri != code.redirect_uri:
            raise InvalidGrant("The redirect URI is not the one of the authorisation.")
        if not _verifies(code.challenge, verifier):
            raise InvalidGrant("The verifier does not match the challenge.")
        code.used = True
        if self._switches.reconsent == "supersedes":
            self._kill(code.grant)
        return self.issue(code.grant, code.event, nonce=code.nonce)

    def refresh(self, value: str) -> TokenSet:
        """Rotate a refresh token; it stays valid for 30 minutes from its first use (facts §2.5)."""
        token = self._tokens.get(value)
        if token is None or token.dead or token.grant.revoked:
            raise InvalidGrant("The refresh token is unknown, superseded or revoked.")
        if not self.is_live(token):
            if token.first_used_at and self._switches.reuse_after_grace == "kills_family":
                self._kill(token.grant)
            raise InvalidGrant("The refresh token has expired, or its grace is over.")
        token.accepted += 1
        if token.first_used_at is None:
            token.first_used_at = self._clock.now()
        elif token.first_result is not None and self._switches.grace_replay == "same_set":
            return token.first_result
        issued = self.issue(token.grant, token.event)
        if token.first_result is None and self._switches.grace_replay == "same_set":
            token.first_result = issued
        return issued

    def revoke(self, value: str) -> Grant | None:
        """Revoke the token's grant and delete its connections; None if the token is not valid.

        Source: facts §1.9.
        """
        token = self._tokens.get(value)
        if token is None or not self.is_live(token):
            return None
        token.grant.revoked = True
        self._connections.delete_all_of(token.grant.user)
        return token.grant

    def issue(self, grant: Grant, event: AuthEvent, *, nonce: str | None = None) -> TokenSet:
        """Return a new token set of a grant."""
        access = self._minter.access_token(grant, event)
        return TokenSet(
            access_token=access,
            scope=" ".join(grant.scopes),
            id_token=self._minter.id_token(grant.user, event, access, nonce)
            if "openid" in grant.scopes
            else None,
            refresh_token=self._next_token(grant, event)
            if "offline_access" in grant.scopes
            else None,
        )

    def is_live(self, token: RefreshToken) -> bool:
        """Whether a refresh with this token would succeed now."""
        if token.dead or token.grant.revoked:
            return False
        now = self._clock.now()
        if token.first_used_at is None:
            return now < token.created_at + IDLE_LIFETIME
        return now <= token.first_used_at + GRACE

    def find_code(self, value: str) -> Code | None:
        """Return the code, whether valid or not."""
        return self._codes.get(value)

    def find_token(self, value: str) -> RefreshToken | None:
        """Return the refresh token, whether valid or not."""
        return self._tokens.get(value)

    def find_by_jti(self, jti: str) -> Grant | None:
        """Return the grant of an access token, by its `jti`."""
        return self._by_id.get(jti[:32])

    def refuse_access_tokens_of(self, user: XeroUser) -> None:
        """Refuse all of the user's current access tokens; a refresh issues a valid one."""
        if grant := self._current.get(user.xero_user_id):
            grant.refused_access_tokens = grant.access_tokens

    def is_refused(self, jti: str) -> bool:
        """Whether an access token is refused before its expiry (facts §14)."""
        grant = self.find_by_jti(jti)
        return grant is not None and int(jti[32:40], 16) <= grant.refused_access_tokens

    def kill_tokens_of(self, user: XeroUser) -> None:
        """Invalidate the user's refresh tokens and nothing else."""
        if grant := self._current.get(user.xero_user_id):
            self._kill(grant)

    def _next_token(self, grant: Grant, event: AuthEvent) -> str:
        token = RefreshToken(
            value=secrets.token_urlsafe(32),
            grant=grant,
            event=event,
            generation=len(grant.tokens) + 1,
            created_at=self._clock.now(),
        )
        grant.tokens.append(token)
        self._tokens[token.value] = token
        return token.value

    def _kill(self, grant: Grant) -> None:
        for token in grant.tokens:
            token.dead = True


def _verifies(challenge: str | None, verifier: str | None) -> bool:
    if challenge is None:
        return True
    digest = hashlib.sha256((verifier or "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
