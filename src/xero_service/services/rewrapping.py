"""Rewrapping: seal every secret with the current key, online, in steps that can be repeated."""

from collections.abc import Callable
from dataclasses import dataclass

from xero_service.crypto import KeyRing
from xero_service.store.ciphertexts import SEALED, Sealed
from xero_service.store.database import Database

BATCH = 200


@dataclass(frozen=True, slots=True)
class RewrapService:
    """Moves ciphertexts from older keys to the current one."""

    database: Database
    keys: KeyRing

    async def count(self) -> int:
        """Return how many ciphertexts there are to look at."""
        async with self.database.transaction() as tx:
            return await tx.ciphertexts.count()

    async def run(self, progress: Callable[[int], None]) -> int:
        """Seal anew what an older key sealed; return how many that were.

        Stopping and starting again is harmless, and so is serving meanwhile: each value is
        replaced only if nobody changed it. Tell `progress` how many were looked at. Raises
        CiphertextUnreadable where a value opens with no key of the ring.
        """
        rewrapped = 0
        for where in SEALED:
            after = None
            while True:
                async with self.database.transaction() as tx:
                    batch = await tx.ciphertexts.batch(where, after=after, limit=BATCH)
                    for sealed in batch:
                        anew = self._sealed_anew(sealed)
                        if anew is not None:
                            rewrapped += await tx.ciphertexts.replace(sealed, anew)
                if not batch:
                    break
                after = batch[-1].key
                progress(len(batch))
        return rewrapped

    def _sealed_anew(self, sealed: Sealed) -> str | None:
        context = sealed.where.context(sealed.key)
        if self.keys.is_current(sealed.text, context):
            return None
        return self.keys.encrypt_token(self.keys.decrypt_token(sealed.text, context), context)
