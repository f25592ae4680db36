"""A process of the service, inside the test's own, that can die at any of the failure places.

From the moment it dies it reaches no database any more, so nothing that its ending tasks still do
counts, and then all of them are cancelled. That is not quite `kill -9`, which `tests/crashes`
does with real processes; it is near enough to be done hundreds of times.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, NoReturn, TypeVar

from tests.world import Application
from xero_service import failpoints
from xero_service.failpoints import Place
from xero_service.settings import Settings

T = TypeVar("T")


class Killed(BaseException):
    """The process is dead; nothing handles this."""


class _Gone:
    """In the place of the engine of a process that died."""

    def begin(self) -> NoReturn:
        raise ConnectionResetError

    async def raw_connection(self) -> NoReturn:
        raise ConnectionResetError

    async def dispose(self) -> None:
        """Nothing is left to close."""


class Mortal:
    """One process at a time: when it dies, the next begins."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.armed: Place | None = None
        self.deaths: list[Place] = []
        self._dead = asyncio.Event()

    async def begin(self) -> None:
        self._dead.clear()
        self._stack = AsyncExitStack()
        self.application = await self._stack.enter_async_context(Application.running(self.settings))
        self._engine = self.application.services.database._engine

    async def end(self) -> None:
        """Stop as SIGTERM does: what is under way is finished."""
        await self._stack.aclose()

    def reached(self, place: Place) -> None:
        """To be put in the place of `failpoints.reached`."""
        if self._dead.is_set():
            raise Killed
        if place is self.armed:
            self.armed = None
            self.deaths.append(place)
            self._dead.set()
            self.application.services.database._engine = _Gone()  # type: ignore[assignment]
            raise Killed

    async def does(self, deed: Coroutine[Any, Any, T]) -> T | None:
        """Do something with the process; None where it died over it, and another began."""
        task, death = asyncio.ensure_future(deed), asyncio.ensure_future(self._dead.wait())
        await asyncio.wait({task, death}, return_when=asyncio.FIRST_COMPLETED)
        if not self._dead.is_set():
            death.cancel()
            return task.result()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._engine.dispose()
        await self._stack.aclose()
        await self.begin()
        return None

    def __enter__(self) -> "Mortal":
        self._original = failpoints.reached
        failpoints.reached = self.reached
        return self

    def __exit__(self, *_: object) -> None:
        failpoints.reached = self._original
