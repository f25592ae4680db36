"""Unsubscribing from notices: signed links, and the addresses that want none, as keyed hashes.

The keys are derived from one secret of the database, which is sealed like the tokens and rewrapped
with them: links and hashes hold through any number of rotations of ENCRYPTION_KEY.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from uuid import UUID

from xero_service.crypto import KEY_BYTES, KeyRing, derive_key
from xero_service.domain import NoticeKind
from xero_service.errors import NotFound
from xero_service.store.database import Database

KEY_ID = UUID(int=1)  # the table has one row
INVALID_LINK = "This link is not valid. Use the one in a mail, whole."


@dataclass(frozen=True, slots=True)
class NoticeKeys:
    """Hashes addresses and signs links. A link carries a hash, never an address."""

    address_key: bytes = field(repr=False)
    link_key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "NoticeKeys":
        """Derive both keys from the secret."""
        return cls(derive_key(secret, "notices: address"), derive_key(secret, "notices: link"))

    def hash_of(self, address: str) -> str:
        """Return the keyed hash of an address, whatever the case of its letters."""
        return _mac(self.address_key, address.strip().casefold())

    def token(self, kind: NoticeKind, address_hash: str) -> str:
        """Return the token of an unsubscribe link."""
        signed = f"{kind}.{address_hash}"
        return f"{signed}.{_mac(self.link_key, signed)}"

    def read(self, token: str) -> tuple[NoticeKind, str]:
        """Return the kind and the address hash of a token; raises NotFound for any other text."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), _mac(self.link_key, signed).encode()):
            raise NotFound(INVALID_LINK)
        kind, _, address_hash = signed.partition(".")
        return NoticeKind(kind), address_hash


def _mac(key: bytes, text: str) -> str:
    digest = hmac.digest(key, text.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(slots=True)
class UnsubscribeService:
    """Reads links, and ends mail of a kind to an address."""

    database: Database
    keys: KeyRing
    loaded: NoticeKeys | None = None

    async def kind_of(self, token: str) -> NoticeKind:
        """Return what a link is about; changes nothing. Raises NotFound."""
        return (await self.notice_keys()).read(token)[0]

    async def unsubscribe(self, token: str) -> NoticeKind:
        """End mail of the link's kind to its address; repeatable. Raises NotFound."""
        kind, address_hash = (await self.notice_keys()).read(token)
        async with self.database.transaction() as tx:
            await tx.unsubscribes.add(address_hash, kind)
        return kind

    async def notice_keys(self) -> NoticeKeys:
        """Return the keys; the secret is made at the first use, by one replica."""
        if self.loaded is None:
            self.loaded = NoticeKeys.of(bytes.fromhex(await self._secret()))
        return self.loaded

    async def _secret(self) -> str:
        context = f"{KEY_ID}:secret_enc"
        async with self.database.transaction() as tx:
            sealed = await tx.unsubscribes.sealed_secret(KEY_ID)
            if sealed is None:
                new = self.keys.encrypt_token(os.urandom(KEY_BYTES).hex(), context)
                await tx.unsubscribes.keep_secret(KEY_ID, new)
                sealed = await tx.unsubscribes.sealed_secret(KEY_ID)
        assert sealed is not None  # noqa: S101 - stored by this replica or by another
        return self.keys.decrypt_token(sealed, context)
