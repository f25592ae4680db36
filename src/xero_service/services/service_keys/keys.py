"""Create, list and revoke service keys; only the hash of a secret is stored."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from xero_service.crypto import fingerprint
from xero_service.domain import Actor, AuditAction, AuditEvent, Scope, ServiceKey
from xero_service.errors import AuthError, InvalidRequest, NotFound
from xero_service.store.database import Database

PREFIX = "xsk_"
SECRET_BYTES = 32
_FORM = re.compile(r"xsk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """The id and the hashed secret of the key in a request."""

    key_id: UUID
    secret_hash: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "PresentedKey":
        """Parse `xsk_<id>_<secret>`; raises AuthError."""
        parts = _FORM.fullmatch(text)
        if parts is None:
            raise invalid_key()
        return cls(UUID(parts[1]), fingerprint(parts[2]))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key with its full text, which is shown once and not stored."""

    key: ServiceKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyService:
    """Creates, lists and revokes service keys; changes are audited."""

    database: Database

    async def create(
        self,
        actor: Actor,
        *,
        name: str,
        org_id: str | None,
        scopes: Sequence[str],
        expires_at: datetime | None,
    ) -> NewKey:
        """Create a key; raises InvalidRequest.

        For a blank name, no scope or an unknown one, and an `expires_at` in the past.
        """
        if not name.strip():
            raise InvalidRequest("A key must have a name.")
        known = [scope.value for scope in Scope]
        unknown = [scope for scope in scopes if scope not in known]
        if unknown:
            raise InvalidRequest(f"No such scope: {unknown[0]!r}. There are: {', '.join(known)}.")
        if not scopes:
            raise InvalidRequest(f"Give at least one scope of: {', '.join(known)}.")
        if expires_at is not None and expires_at <= datetime.now(UTC):
            raise InvalidRequest("A key must expire in the future.")
        key_id, secret = uuid4(), secrets.token_urlsafe(SECRET_BYTES)
        async with self.database.transaction() as tx:
            key = await tx.service_keys.add(
                key_id,
                name=name,
                secret_hash=fingerprint(secret),
                org_id=org_id,
                scopes=sorted(set(scopes)),
                expires_at=expires_at,
            )
            await tx.audit.add(_event(actor, AuditAction.KEY_CREATED, key))
        return NewKey(key, f"{PREFIX}{key_id.hex}_{secret}")

    async def all(self) -> tuple[ServiceKey, ...]:
        """Return every key, without secrets."""
        async with self.database.transaction() as tx:
            return await tx.service_keys.all()

    async def revoke(self, actor: Actor, key_id: UUID) -> ServiceKey:
        """Revoke a key on every replica at once; raises NotFound."""
        async with self.database.transaction() as tx:
            key = await tx.service_keys.revoke(key_id)
            if key is None:
                raise NotFound("No such key, or it is revoked already.")
            await tx.audit.add(_event(actor, AuditAction.KEY_REVOKED, key))
        return key

    async def revoke_of_org(self, actor: Actor, org_id: str) -> tuple[ServiceKey, ...]:
        """Revoke every key of an org, on every replica at once; return the keys.

        Keys for all orgs stay valid.
        """
        async with self.database.transaction() as tx:
            revoked = await tx.service_keys.revoke_of_org(org_id)
            await tx.audit.extend([_event(actor, AuditAction.KEY_REVOKED, key) for key in revoked])
        return revoked


def invalid_key() -> AuthError:
    """Return the one error for every unusable key, which does not disclose the reason."""
    return AuthError("The service key is missing, unknown, expired or revoked.")


def _event(actor: Actor, action: AuditAction, key: ServiceKey) -> AuditEvent:
    return AuditEvent(
        actor,
        action,
        org_id=key.org_id,
        detail={"keyId": str(key.id), "name": key.name, "scopes": " ".join(sorted(key.scopes))},
    )
