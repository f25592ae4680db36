"""Bodies that pass the proxy: small ones are kept to be sent again, large ones only stream."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace

from xero_service.errors import BodyTooLarge, InvalidRequest
from xero_service.xero.asking import StreamedAnswer

LARGEST_BODY = 25 * 1024 * 1024  # Xero takes attachments of up to 25 MB
REPLAYED_BODY = 1024 * 1024  # what is kept, so that it can be sent again after a refresh
REFUSAL_AT_MOST = 64 * 1024


async def held(
    body: AsyncIterator[bytes], declared: int | None, *, within: float
) -> bytes | AsyncIterator[bytes]:
    """Return a small body whole, a larger one as a stream that ends at the limit.

    Raises BodyTooLarge, at once where the caller declared too much, and InvalidRequest where what
    is kept takes the caller longer than `within` seconds.
    """
    if (declared or 0) > LARGEST_BODY:
        raise _too_large()
    try:
        async with asyncio.timeout(within):
            return await _held(body)
    except TimeoutError as error:
        raise InvalidRequest("The body took too long to arrive.") from error


async def _held(body: AsyncIterator[bytes]) -> bytes | AsyncIterator[bytes]:
    read = bytearray()
    async for part in body:
        read += part
        if len(read) > REPLAYED_BODY:
            return _limited(bytes(read), body)
    return bytes(read)


async def _limited(read: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    sent = len(read)
    yield read
    async for part in rest:
        sent += len(part)
        if sent > LARGEST_BODY:
            raise _too_large()
        yield part


def _too_large() -> BodyTooLarge:
    return BodyTooLarge("Send at most 25 MiB.")


async def peeked(answer: StreamedAnswer) -> tuple[StreamedAnswer, bytes]:
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
    """Undo the encoding that the caller asked Xero for; empty where it is an unusual one."""
    encoding = headers.get("content-encoding", "identity")
    if encoding == "identity":
        return body
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(body, REFUSAL_AT_MOST)
    except zlib.error:
        return b""
