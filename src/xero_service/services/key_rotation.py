"""Rewrapping: seal every secret with the current key, online, in steps that can be repeated."""

from collections.abc import Callable
from dataclasses import dataclass

from xero_service.crypto import KeyRing
from xero_service.errors import CiphertextUnreadable
from xero_service.store.ciphertexts import SEALED, Sealed
from xero_service.store.database import Database

BATCH = 200


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
