"""The published signing keys of one issuer (RFC 7517), cached.

One `KeySet` per issuer: a key never vouches for another issuer's tokens. Keys that were fetched
go on working while the issuer cannot be reached, and an unknown key id causes at most one fetch
per cooldown, however many tokens carry it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt

from xero_service.errors import ExternalAPIError, SignInUnavailable

MAX_AGE_SECONDS = 300.0
COOLDOWN_SECONDS = 30.0


class KeySet:
    """The signing keys behind one URL."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Any]],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fetch` returns the parsed document or raises ExternalAPIError."""
        self._fetch = fetch
        self._now = now
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Have keys that are not too old, where the issuer lets us.

        Raises SignInUnavailable only where there are none at all.
        """
        if self._is_fresh() or (self._keys and self._lock.locked()):
            return  # nobody waits for a fetch that somebody else is at, while the old keys work
        async with self._lock:
            if not self._is_fresh():
                await self._try_fetch()
        if not self._keys:
            raise SignInUnavailable(retry_after=int(COOLDOWN_SECONDS))

    async def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key with this id, fetching once per cooldown where it is unknown.

        Raises SignInUnavailable where no key could ever be fetched.
        """
        await self.load()
        if key_id is None:
            return None
        if key_id not in self._keys:
            async with self._lock:
                if key_id not in self._keys:
                    await self._try_fetch()
        return self._keys.get(key_id)

    def _is_fresh(self) -> bool:
        return self._fetched_at is not None and self._now() - self._fetched_at < MAX_AGE_SECONDS

    async def _try_fetch(self) -> None:
        if self._tried_at is not None and self._now() - self._tried_at < COOLDOWN_SECONDS:
            return
        self._tried_at = self._now()
        try:
            document = await self._fetch()
        except ExternalAPIError:
            return
        if keys := _signing_keys(document):
            self._keys = keys
            self._fetched_at = self._now()


def _signing_keys(document: Any) -> dict[str, jwt.PyJWK]:
    """Return the RSA signing keys of a document by their id; nothing where it is not one."""
    found = document.get("keys") if isinstance(document, dict) else None
    keys: dict[str, jwt.PyJWK] = {}
    for entry in found if isinstance(found, list) else []:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA":
            continue
        if entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid"), str):
            continue
        try:
            keys[entry["kid"]] = jwt.PyJWK(entry, algorithm="RS256")
        except (jwt.PyJWTError, ValueError):
            continue
    return keys
