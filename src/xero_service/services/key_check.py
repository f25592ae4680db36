"""The check that ENCRYPTION_KEY is the key of this database, before anything is sealed with it."""

from dataclasses import dataclass

from xero_service.crypto import KeyRing
from xero_service.errors import ConfigError
from xero_service.store.ciphertexts import SEALED
from xero_service.store.transaction import Transaction

SAMPLE = 50  # of each column: an altered value or one of a lost key stops nobody


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
