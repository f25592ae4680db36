"""Rewrapping: seal every secret with the current key, online, in steps that can be repeated."""

from collections.abc import Callable
from dataclasses import dataclass

from xero_service.crypto import KeyRing
from xero_service.errors import CiphertextUnreadable, ConfigError
from xero_service.store.ciphertexts import SEALED, Sealed
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction

BATCH = 200
SAMPLE = 50  # of each column: an altered value or one of a lost key stops nobody


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many values were sealed anew, and the places of those that no key opens."""

    sealed: int
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RewrapService:
    """Moves ciphertexts from older keys to the current one."""

    database: Database
    keys: KeyRing

    async def count(self) -> int:
        """Return how many ciphertexts there are to look at."""
        async with self.database.transaction() as tx:
            return await tx.ciphertexts.count()

    async def run(self, progress: Callable[[int], None]) -> Rewrapped:
        """Seal anew what an older key sealed; a value that no key opens stops nothing.

        Stopping and starting again is harmless, and so is serving meanwhile: each value is
        replaced only if nobody changed it. Tell `progress` how many were looked at.
        """
        sealed_anew, unreadable = 0, list[str]()
        for where in SEALED:
            after = None
            while True:
                async with self.database.transaction() as tx:
                    batch = await tx.ciphertexts.batch(where, after=after, limit=BATCH)
                    for sealed in batch:
                        try:
                            anew = self._sealed_anew(sealed)
                        except CiphertextUnreadable:
                            unreadable.append(sealed.place)
                            continue
                        if anew is not None:
                            sealed_anew += await tx.ciphertexts.replace(sealed, anew)
                if not batch:
                    break
                after = batch[-1].key
                progress(len(batch))
        return Rewrapped(sealed_anew, tuple(unreadable))

    def _sealed_anew(self, sealed: Sealed) -> str | None:
        context = sealed.where.context(sealed.key)
        if self.keys.is_current(sealed.text, context):
            return None
        return self.keys.encrypt_token(self.keys.decrypt_token(sealed.text, context), context)


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Tries the configured keys on what is stored.

    One value that opens is enough: during a rotation some are sealed with the new key and others
    with an older one. An empty database takes any key.
    """

    keys: KeyRing

    async def __call__(self, tx: Transaction) -> None:
        """Raise ConfigError where values are stored and no key opens any of them."""
        if not await tx.ciphertexts.have_tables():
            return  # before the first migration
        tried = 0
        for where in SEALED:
            for sealed in await tx.ciphertexts.batch(where, after=None, limit=SAMPLE):
                if self.keys.opens(sealed.text, where.context(sealed.key)):
                    return
                tried += 1
        if tried:
            raise ConfigError(
                "The configuration is not usable:\n"
                "  ENCRYPTION_KEY opens nothing that is stored in this database: give the key that "
                "sealed it, here or in ENCRYPTION_KEY_PREVIOUS"
            )
