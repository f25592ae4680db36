"""Bodies that pass the proxy: small ones are kept to be sent again, large ones only stream."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from xero_service.errors import BodyTooLarge, InvalidRequest, ServiceBusy
from xero_service.xero.http import StreamedResponse

LARGEST_BODY = 25 * 1024 * 1024  # Xero takes attachments of up to 25 MB
REPLAYED_BODY = 1024 * 1024  # what is kept, so that it can be sent again after a refresh
HELD_AT_MOST = 64 * 1024 * 1024  # kept by all calls of a process at once
HELD_BY_KEY = 16 * 1024 * 1024  # the same, by one key's calls
REFUSAL_AT_MOST = 64 * 1024


class BodyBudget:
    """Bytes of request bodies that this process holds, in all and for each service key."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._held = 0
        self._by_key: dict[str, int] = {}

    @property
    def held(self) -> int:
        """Bytes that all calls hold now."""
        return self._held

    @contextmanager
    def share(self, key: str) -> Iterator["BodyShare"]:
        """Count what one call of this key holds, at the latest until the block ends."""
        share = BodyShare(self, key)
        try:
            yield share
        finally:
            share.release()

    def _reserve(self, key: str, size: int) -> None:
        of_key = self._by_key.get(key, 0) + size
        if of_key > HELD_BY_KEY:
            raise ServiceBusy("This key has too many request bodies under way.", retry_after=5)
        if self._held + size > HELD_AT_MOST:
            raise ServiceBusy("Too many request bodies are under way.", retry_after=5)
        self._held += size
        self._by_key[key] = of_key

    def _release(self, key: str, size: int) -> None:
        self._held -= size
        self._by_key[key] -= size
        if not self._by_key[key]:
            del self._by_key[key]


class BodyShare:
    """What one call holds of the budget."""

    def __init__(self, budget: BodyBudget, key: str) -> None:
        """Hold nothing yet."""
        self._budget, self._key, self._size = budget, key, 0

    def reserve(self, size: int) -> None:
        """Hold so many bytes more; raises ServiceBusy where the budget has no room for them."""
        self._budget._reserve(self._key, size)
        self._size += size

    def release(self) -> None:
        """Hold nothing any more."""
        if self._size:
            self._budget._release(self._key, self._size)
            self._size = 0


async def buffer_small(
    body: AsyncIterator[bytes], declared: int | None, share: BodyShare, *, within: float
) -> bytes | AsyncIterator[bytes]:
    """Return a small body whole, a larger one as a stream that ends at the limit.

    What is kept is counted in `share`. Raises BodyTooLarge, at once where the caller declared too
    much, ServiceBusy where the budget is used up, and InvalidRequest where what is kept takes the
    caller longer than `within` seconds or is shorter than it declared.
    """
    if (declared or 0) > LARGEST_BODY:
        raise _too_large()
    try:
        async with asyncio.timeout(within):
            return await _buffer(body, declared, share)
    except TimeoutError as error:
        raise InvalidRequest("The body took too long to arrive.") from error


async def _buffer(
    body: AsyncIterator[bytes], declared: int | None, share: BodyShare
) -> bytes | AsyncIterator[bytes]:
    read = bytearray()
    async for part in body:
        share.reserve(len(part))
        read += part
        if len(read) > REPLAYED_BODY:
            return _limited(bytes(read), body, share)
    if declared is not None and len(read) != declared:
        raise InvalidRequest("The body is not as long as its Content-Length.")
    return bytes(read)


async def _limited(
    read: bytes, rest: AsyncIterator[bytes], share: BodyShare
) -> AsyncIterator[bytes]:
    sent = len(read)
    yield read
    del read
    async for part in rest:
        sent += len(part)
        if sent > LARGEST_BODY:
            raise _too_large()
        yield part
        share.release()  # whoever sends these holds one back, so that what was kept is sent by now


def _too_large() -> BodyTooLarge:
    return BodyTooLarge("Send at most 25 MiB.")


async def peek(answer: StreamedResponse) -> tuple[StreamedResponse, bytes]:
    """Read the beginning of an answer; return the answer as if untouched, and what was read."""
    read = bytearray()
    async for part in answer.body:
        read += part
        if len(read) > REFUSAL_AT_MOST:
            break

    async def again() -> AsyncIterator[bytes]:
        yield bytes(read)
        async for part in answer.body:
            yield part

    return replace(answer, body=again()), _plain(bytes(read), dict(answer.headers))


def _plain(body: bytes, headers: dict[str, str]) -> bytes:
    """Undo the encoding that Xero was offered; empty where it is another one."""
    if headers.get("content-encoding", "identity").lower() == "identity":
        return body
    for wbits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # gzip or zlib; deflate as some mean it
        with suppress(zlib.error):
            return zlib.decompressobj(wbits=wbits).decompress(body, REFUSAL_AT_MOST)
    return b""
