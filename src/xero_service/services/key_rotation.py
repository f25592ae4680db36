"""Key rotation: rewrap every sealed value with the current key, online and repeatable."""

from collections.abc import Callable
from dataclasses import dataclass

from xero_service.crypto import KeyRing
from xero_service.errors import CiphertextUnreadable, ConfigError
from xero_service.store.ciphertexts import SEALED, Sealed
from xero_service.store.database import Database
from xero_service.store.transaction import Transaction

BATCH = 200
SAMPLE = 50  # of each column: a single unreadable value must not stop the service


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many values were rewrapped, and the places of those that no key opens."""

    sealed: int
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RewrapService:
    """Rewraps ciphertexts of older keys with the current one."""

    database: Database
    keys: KeyRing

    async def count(self) -> int:
        """Return the number of stored ciphertexts."""
        async with self.database.transaction() as tx:
            return await tx.ciphertexts.count()

    async def run(self, progress: Callable[[int], None]) -> Rewrapped:
        """Rewrap the values that an older key sealed, skipping those that no key opens.

        Safe to interrupt, to repeat and to run while serving: a value is replaced only if it has
        not changed meanwhile. Calls `progress` with the size of each batch.
        """
        rewrapped, unreadable = 0, list[str]()
        for where in SEALED:
            after = None
            while True:
                async with self.database.transaction() as tx:
                    batch = await tx.ciphertexts.batch(where, after=after, limit=BATCH)
                    for sealed in batch:
                        try:
                            replacement = self._rewrap(sealed)
                        except CiphertextUnreadable:
                            unreadable.append(sealed.place)
                            continue
                        if replacement is not None:
                            rewrapped += await tx.ciphertexts.replace(sealed, replacement)
                if not batch:
                    break
                after = batch[-1].key
                progress(len(batch))
        return Rewrapped(rewrapped, tuple(unreadable))

    def _rewrap(self, sealed: Sealed) -> str | None:
        context = sealed.where.context(sealed.key)
        if self.keys.is_current(sealed.text, context):
            return None
        return self.keys.encrypt_token(self.keys.decrypt_token(sealed.text, context), context)


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Checks the configured keys against stored values.

    One value that opens is enough: during a rotation some are sealed with the new key and others
    with an older one. An empty database accepts any key.
    """

    keys: KeyRing

    async def __call__(self, tx: Transaction) -> None:
        """Raise ConfigError if values are stored and no key opens any sampled one."""
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
