"""Cache of an issuer's published signing keys (RFC 7517).

Each issuer has its own `KeySet`, so that a key never verifies another issuer's token. Cached keys
stay in use while the issuer is unreachable or slow. Unknown key ids cause at most one fetch per
KEYS_COOLDOWN_SECONDS, however many tokens carry them.
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
        """Fetch the keys if they are older than KEYS_MAX_AGE_SECONDS, and wait for the fetch.

        Raises SignInUnavailable only where no keys are cached and the fetch failed.
        """
        async with self._lock:
            if not self._is_fresh():
                await self._try_fetch()
        if not self._keys:
            raise SignInUnavailable(retry_after=int(KEYS_COOLDOWN_SECONDS))

    def known(self, key_id: str | None) -> "jwt.PyJWK | None":
        """Return a cached key, however old; no I/O."""
        return self._keys.get(key_id or "")

    async def find(self, key_id: str | None) -> "jwt.PyJWK | None":
        """Return the key with this id; an unknown id causes a fetch, once per cooldown.

        Known keys stay in use while the set is fetched again: a slow issuer delays one caller, for
        KEYS_RENEWAL_WAIT_SECONDS at most. Raises SignInUnavailable where no key was ever fetched.
        """
        if not self._keys:
            await self.load()
        if key_id is None:
            return None
        if key_id in self._keys:
            await self._renew_in_background()
        else:
            async with self._lock:
                if key_id not in self._keys:
                    await self._try_fetch()
        return self._keys.get(key_id)

    async def _renew_in_background(self) -> None:
        """Fetch a set that is too old; a key that is no longer published is then dropped."""
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
    """Return both forms of an issuer that its tokens may carry; settings strip the last slash."""
    return issuer, f"{issuer}/"


async def published_issuer(fetch: Callable[[str], Awaitable[Any]], issuer: str) -> str | None:
    """Return the `issuer` in the metadata of an issuer; None where it publishes none.

    OpenID Connect Discovery 1.0 §4, RFC 8414 §3.1. `fetch` is that of `KeySet`, with a URL.
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
    """Return the RSA signing keys of a JWK Set by their id; empty where it is malformed."""
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
