"""A request while it is under way: what is sent, the answer unread, and what a failure means."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from xero_service.errors import InvalidRequest, XeroNotReached, XeroSilent

if TYPE_CHECKING:
    import aiohttp

    from xero_service.xero.pool import Response

REFUSED_SECONDS = 5.0  # how long a refused upload may stand still before it is given up


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """An HTTP answer whose body may still be under way; header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: AsyncIterator[bytes] = field(repr=False)
    is_here: bool = False  # all of it


class Content:
    """The content of a request: counts what is sent, and keeps why it ended early."""

    def __init__(self, content: bytes | AsyncIterator[bytes], length: int | None = None) -> None:
        """`length`: of a streamed content, where it was declared."""
        self.failure: Exception | None = None
        self.parts = content if isinstance(content, bytes) else self._counted(content, length)

    async def _counted(
        self, content: AsyncIterator[bytes], length: int | None
    ) -> AsyncIterator[bytes]:
        """Pass the parts on; raises InvalidRequest where they are not as long as declared."""
        sent = 0
        try:
            async for part in content:
                sent += len(part)
                if length is not None and sent > length:
                    raise InvalidRequest("The body is longer than its Content-Length.")
                yield part
            if length is not None and sent < length:
                raise InvalidRequest("The body ended before its Content-Length.")
        except Exception as failure:
            self.failure = failure
            raise


class Asked:
    """Async context manager of one request. Raises what the library's exceptions mean.

    The connection is used again only if the request was sent whole before the answer ended, and
    the answer was read whole (`pool.Response`); leaving the block closes any other.

    A class, because a generator takes four times as long.
    """

    __slots__ = ("_answer", "_asking", "_content", "_upload")

    def __init__(
        self,
        asking: "Awaitable[Response]",
        content: Content,
        upload: "aiohttp.UploadTracker | None" = None,
    ) -> None:
        """Ask when the block is entered; `upload` tells how far the content was sent."""
        self._asking, self._content, self._upload = asking, content, upload
        self._answer: Response | None = None

    async def __aenter__(self) -> StreamedAnswer:
        """Return the answer once the request's content is not read any more.

        An answer may come before its request is sent. It is handed out afterwards, because a
        caller, or a proxy before it, may send no more once the answer has begun (nginx does).
        """
        try:
            answer = self._answer = await self._asking
            if self._upload is not None:
                await self._sent(self._upload, answer)
        except BaseException as error:
            await self._close()
            self._raise_what_it_means(error)
            raise
        return StreamedAnswer(
            answer.status,
            _plain(answer.raw_headers),
            aiter(answer.content.iter_any()),
            is_here=answer.content.is_eof(),
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()
        if error is not None:
            self._raise_what_it_means(error)

    async def _sent(self, upload: "aiohttp.UploadTracker", answer: "Response") -> None:
        """Wait until the request is sent whole; raise where it is not, unless it was refused.

        Xero may act on half a request and say 200, but a refusal holds whatever becomes of the
        rest, which is given up once it stands still.
        """
        done, is_refused, last = upload.upload_complete, answer.status >= 400, -1
        while not done.done():
            if is_refused and upload.bytes_written == last and answer.content.is_eof():
                answer.stop_request()
            last = upload.bytes_written
            await asyncio.wait({done}, timeout=REFUSED_SECONDS if is_refused else None)
        if self._content.failure is not None:
            raise self._content.failure
        if done.exception() is not None and not is_refused:
            raise XeroSilent("Xero took only a part of the request.")

    async def _close(self) -> None:
        import aiohttp

        answer, self._answer = self._answer, None
        if answer is None:
            return
        if self._upload is not None and not self._upload.upload_complete.done():
            answer.abort()
        answer.close()
        with suppress(aiohttp.ClientError, OSError):
            await answer.wait_for_close()

    def _raise_what_it_means(self, error: BaseException) -> None:
        """Without the library's message."""
        import aiohttp

        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            raise XeroNotReached("Xero could not be reached.") from error
        if isinstance(error, aiohttp.ClientError):
            # Of content that failed it tells as of a connection that broke.
            raise self._content.failure or XeroSilent("Xero did not answer in time.") from error


def _plain(headers: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers
    )
