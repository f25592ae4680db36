"""Bodies in the proxy: small ones are buffered so that they can be resent, large ones stream."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from xero_service.errors import BodyTooLarge, InvalidRequest, ServiceBusy
from xero_service.xero.http import StreamedResponse

MAX_BODY = 25 * 1024 * 1024  # Xero takes attachments of up to 25 MB
MAX_BUFFERED_BODY = 1024 * 1024  # a larger body cannot be resent after a refresh
MAX_BUFFERED = 64 * 1024 * 1024  # by all calls of a process together
MAX_BUFFERED_PER_KEY = 16 * 1024 * 1024  # by all calls of one key
MAX_REFUSAL = 64 * 1024  # bytes of a refusal's body that are read to recognise it


class BodyBudget:
    """Counts the bytes of request bodies that this process buffers, in all and per service key."""

    def __init__(self) -> None:
        """Start at zero."""
        self._buffered = 0
        self._by_key: dict[str, int] = {}

    @property
    def buffered(self) -> int:
        """Bytes that all calls buffer now."""
        return self._buffered

    @contextmanager
    def share(self, key: str) -> Iterator["BodyShare"]:
        """Yield the share of one call of this key; it is released when the block ends."""
        share = BodyShare(self, key)
        try:
            yield share
        finally:
            share.release()

    def _reserve(self, key: str, size: int) -> None:
        of_key = self._by_key.get(key, 0) + size
        if of_key > MAX_BUFFERED_PER_KEY:
            raise ServiceBusy("This key has too many request bodies under way.", retry_after=5)
        if self._buffered + size > MAX_BUFFERED:
            raise ServiceBusy("Too many request bodies are under way.", retry_after=5)
        self._buffered += size
        self._by_key[key] = of_key

    def _release(self, key: str, size: int) -> None:
        self._buffered -= size
        self._by_key[key] -= size
        if not self._by_key[key]:
            del self._by_key[key]


class BodyShare:
    """The bytes that one call has reserved of the budget."""

    def __init__(self, budget: BodyBudget, key: str) -> None:
        """Start with nothing reserved."""
        self._budget, self._key, self._size = budget, key, 0

    def reserve(self, size: int) -> None:
        """Reserve `size` more bytes; raises ServiceBusy where that exceeds the budget."""
        self._budget._reserve(self._key, size)
        self._size += size

    def release(self) -> None:
        """Release all that is reserved; a second call does nothing."""
        if self._size:
            self._budget._release(self._key, self._size)
            self._size = 0


async def buffer_small(
    body: AsyncIterator[bytes], declared: int | None, share: BodyShare, *, within: float
) -> bytes | AsyncIterator[bytes]:
    """Return a small body as bytes, a larger one as a stream that raises BodyTooLarge at the limit.

    Buffered bytes are reserved in `share`. Raises BodyTooLarge at once for a declared length above
    the limit, ServiceBusy where the budget is used up, and InvalidRequest where the buffered part
    takes longer than `within` seconds or differs from the declared length.
    """
    if (declared or 0) > MAX_BODY:
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
        if len(read) > MAX_BUFFERED_BODY:
            return _stream_limited(bytes(read), body, share)
    if declared is not None and len(read) != declared:
        raise InvalidRequest("The body is not as long as its Content-Length.")
    return bytes(read)


async def _stream_limited(
    read: bytes, rest: AsyncIterator[bytes], share: BodyShare
) -> AsyncIterator[bytes]:
    sent = len(read)
    yield read
    del read
    async for part in rest:
        sent += len(part)
        if sent > MAX_BODY:
            raise _too_large()
        yield part
        share.release()  # the sender keeps one part back, so the buffered one has been sent by now


def _too_large() -> BodyTooLarge:
    return BodyTooLarge("Send at most 25 MiB.")


async def peek(answer: StreamedResponse) -> tuple[StreamedResponse, bytes]:
    """Return an answer with its body unread, and the decompressed beginning of that body."""
    read = bytearray()
    async for part in answer.body:
        read += part
        if len(read) > MAX_REFUSAL:
            break

    async def replay() -> AsyncIterator[bytes]:
        yield bytes(read)
        async for part in answer.body:
            yield part

    return replace(answer, body=replay()), _decompress(bytes(read), dict(answer.headers))


def _decompress(body: bytes, headers: dict[str, str]) -> bytes:
    """Return the body without its content encoding; empty for one that Xero was not offered."""
    if headers.get("content-encoding", "identity").lower() == "identity":
        return body
    for wbits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # gzip or zlib; deflate as some mean it
        with suppress(zlib.error):
            return zlib.decompressobj(wbits=wbits).decompress(body, MAX_REFUSAL)
    return b""
