"""Reads bodies whose sender is known only once they are complete, because it signs the bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from xero_service.errors import BodyTooLarge, RequestTimeout, ServiceBusy

MAX_BODY = 1024 * 1024
MAX_SMALL_BODY = 64 * 1024  # as of every other route, whatever the number of requests
LARGE_AT_ONCE = 16  # per process, so that strangers cannot fill the memory
READ_SECONDS = 10.0  # Xero gives up after 5


class WebhookBodies:
    """Limits the size, the time, and how many large bodies a process holds."""

    def __init__(self) -> None:
        """Start with every slot free."""
        self._slots = asyncio.Semaphore(LARGE_AT_ONCE)

    @asynccontextmanager
    async def read(self, parts: AsyncIterator[bytes], declared: int | None) -> AsyncIterator[bytes]:
        """Yield the whole body; a large one holds its slot until the block ends.

        Raises BodyTooLarge (for a declared length before anything is read), RequestTimeout, and
        ServiceBusy where all slots are taken.
        """
        if (declared or 0) > MAX_BODY:
            raise _too_large()
        body, is_large = bytearray(), False
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(READ_SECONDS):
                    async for part in parts:
                        body += part
                        if len(body) > MAX_BODY:
                            raise _too_large()
                        if len(body) > MAX_SMALL_BODY and not is_large:
                            is_large = True
                            if self._slots.locked():
                                raise ServiceBusy("Too many webhooks are under way.", retry_after=5)
                            await stack.enter_async_context(self._slots)
            except TimeoutError as error:
                raise RequestTimeout("The body took too long to arrive.") from error
            yield bytes(body)


def _too_large() -> BodyTooLarge:
    return BodyTooLarge("Send at most 1 MiB.")
