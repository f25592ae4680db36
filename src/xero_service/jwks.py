"""The published signing keys of one issuer (RFC 7517), cached.

One `KeySet` per issuer: a key never vouches for another issuer's tokens. Keys that were fetched
go on working while the issuer cannot be reached or is slow, and an unknown key id causes at most
one fetch per cooldown, however many tokens carry it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import jwt

from xero_service.errors import ExternalAPIError, SignInUnavailable
from xero_service.timeouts import (
    KEYS_COOLDOWN_SECONDS,
    KEYS_MAX_AGE_SECONDS,
    KEYS_RENEWAL_WAIT_SECONDS,
)

log = logging.getLogger(__name__)


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
        self._renewal: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Have keys that are not too old, where the issuer lets us; waits for the fetch.

        Raises SignInUnavailable only where there are none at all.
        """
        async with self._lock:
            if not self._is_fresh():
                await self._try_fetch()
        if not self._keys:
            raise SignInUnavailable(retry_after=int(KEYS_COOLDOWN_SECONDS))

    def known(self, key_id: str | None) -> "jwt.PyJWK | None":
        """Return a key that is at hand, however old; no I/O."""
        return self._keys.get(key_id or "")

    async def find(self, key_id: str | None) -> "jwt.PyJWK | None":
        """Return the key with this id, fetching once per cooldown where it is unknown.

        While keys that are due to be looked at again are fetched, the known ones go on: an
        issuer that hangs holds up one caller, and briefly. Raises SignInUnavailable where no
        key could ever be fetched.
        """
        if not self._keys:
            await self.load()
        if key_id is None:
            return None
        if key_id in self._keys:
            await self._renew_behind()
        else:
            async with self._lock:
                if key_id not in self._keys:
                    await self._try_fetch()
        return self._keys.get(key_id)

    async def _renew_behind(self) -> None:
        """Fetch again where it is time; a key that is published no more then stops at once."""
        if self._is_fresh() or self._is_cooling() or self._lock.locked():
            return
        self._renewal = asyncio.create_task(self._renew())
        await asyncio.wait([self._renewal], timeout=KEYS_RENEWAL_WAIT_SECONDS)

    async def _renew(self) -> None:
        try:
            await self.load()
        except Exception:
            log.exception("signing keys could not be renewed")

    def _is_fresh(self) -> bool:
        return (
            self._fetched_at is not None and self._now() - self._fetched_at < KEYS_MAX_AGE_SECONDS
        )

    def _is_cooling(self) -> bool:
        return self._tried_at is not None and self._now() - self._tried_at < KEYS_COOLDOWN_SECONDS

    async def _try_fetch(self) -> None:
        if self._is_cooling():
            return
        self._tried_at = self._now()
        try:
            document = await self._fetch()
        except ExternalAPIError:
            return
        if keys := _signing_keys(document):
            self._keys = keys
            self._fetched_at = self._now()


def with_and_without_slash(issuer: str) -> tuple[str, str]:
    """Return both forms in which an issuer's tokens may name it; ours has no slash at its end."""
    return issuer, f"{issuer}/"


async def published_issuer(fetch: Callable[[str], Awaitable[Any]], issuer: str) -> str | None:
    """Return what an issuer calls itself in its metadata; None where it publishes none.

    OpenID Connect Discovery 1.0 §4, RFC 8414 §3.1. `fetch` as in `KeySet`, of a URL.
    """
    parts = urlsplit(issuer)
    origin = f"{parts.scheme}://{parts.netloc}"
    for url in (
        f"{issuer}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{parts.path}",
        f"{issuer}/.well-known/oauth-authorization-server",
    ):
        try:
            document = await fetch(url)
        except ExternalAPIError:
            continue
        if isinstance(document, dict) and isinstance(document.get("issuer"), str):
            return str(document["issuer"])
    return None


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
