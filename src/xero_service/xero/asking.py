"""A request while it is under way: what is sent, the answer unread, and what a failure means."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from xero_service.errors import XeroNotReached, XeroSilent

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """An HTTP answer whose body may still be under way; header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: AsyncIterator[bytes] = field(repr=False)
    is_here: bool = False  # all of it


class Content:
    """What is sent, and why it ended early."""

    def __init__(self, content: bytes | AsyncIterator[bytes]) -> None:
        self.failure: Exception | None = None
        self.parts = content if isinstance(content, bytes) else self._noted(content)

    async def _noted(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for part in content:
                yield part
        except Exception as failure:
            self.failure = failure
            raise


class Asked:
    """A request for a block: what the library raises in it becomes what it means.

    A class, because a generator takes four times as long.
    """

    __slots__ = ("_answer", "_asking", "_sent")

    def __init__(self, asking: "aiohttp.client._RequestContextManager", sent: Content) -> None:
        """Ask when the block is entered."""
        self._asking, self._sent = asking, sent

    async def __aenter__(self) -> StreamedAnswer:
        try:
            self._answer = await self._asking
        except Exception as error:
            self._raise_what_it_means(error)
            raise
        content = self._answer.content
        return StreamedAnswer(
            self._answer.status,
            _plain(self._answer.raw_headers),
            aiter(content.iter_any()),
            is_here=content.is_eof(),
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._answer.__aexit__(kind, error, trace)
        except Exception as failure:  # where an answer came before the whole of its request
            self._raise_what_it_means(failure)
            raise
        if error is not None:
            self._raise_what_it_means(error)

    def _raise_what_it_means(self, error: BaseException) -> None:
        """Without the library's message."""
        import aiohttp

        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            raise XeroNotReached("Xero could not be reached.") from error
        if isinstance(error, aiohttp.ClientError):
            # Of content that failed it tells as of a connection that broke.
            raise self._sent.failure or XeroSilent("Xero did not answer in time.") from error


def _plain(headers: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers
    )
