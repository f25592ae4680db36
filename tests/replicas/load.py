"""Load: callers that ask again and again, and keep what they were told."""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

Call = Callable[[], Awaitable[httpx.Response]]


@dataclass(frozen=True)
class Said:
    """One answer, or none: `status` is 0 where the connection failed."""

    asked: float  # monotonic seconds
    at: float  # the same, when it came
    caller: int
    status: int
    retry_after: str | None = None
    told: str = field(default="", repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Load:
    """What callers were told, in the order in which it came."""

    said: list[Said] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def of(cls, calls: Sequence[Call], *, pause: float) -> AsyncIterator["Load"]:
        """Make each of the calls over and over, `pause` seconds apart, until the block ends.

        Calls that are under way then are waited for.
        """
        load, over = cls(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for number, call in enumerate(calls):
                tasks.create_task(load._repeat(number, call, over, pause))
            try:
                yield load
            finally:
                over.set()

    async def _repeat(self, number: int, call: Call, over: asyncio.Event, pause: float) -> None:
        while not over.is_set():
            self.said.append(await self._once(number, call))
            await asyncio.sleep(pause)

    async def _once(self, number: int, call: Call) -> Said:
        asked = time.monotonic()
        try:
            answer = await call()
        except httpx.TransportError as error:
            return Said(asked, time.monotonic(), number, 0, told=repr(error))
        token = None
        if answer.is_success and answer.headers["content-type"] == "application/json":
            token = answer.json().get("accessToken")
        told = (answer.status_code, answer.headers.get("retry-after"), answer.text, token)
        return Said(asked, time.monotonic(), number, *told)

    def served(self, caller: int, *, since: float) -> bool:
        """Whether a caller was given what it asked for after a moment."""
        return any(
            each.caller == caller and each.asked > since and each.succeeded for each in self.said
        )

    @property
    def failures(self) -> list[Said]:
        return [each for each in self.said if not each.succeeded]

    @property
    def faults(self) -> list[Said]:
        """The answers that are neither a success nor 503 with Retry-After."""
        return [each for each in self.failures if each.status != 503 or each.retry_after is None]

    @property
    def tokens(self) -> set[str]:
        """The different tokens that were handed out."""
        return {each.token for each in self.said if each.token}

    @property
    def slowest(self) -> float:
        """The longest that a caller waited for an answer, in seconds."""
        return max((each.at - each.asked for each in self.said), default=0.0)

    def summary(self) -> str:
        """How often each answer came, and the first failures in full."""
        counts = Counter(each.status for each in self.said)
        first = [f"{each.caller}: {each.status} {each.told}" for each in self.failures[:5]]
        return "\n".join([f"answers by status: {dict(counts)}", *first])


def record(drill: str, *loads: Load, grants_lost: int) -> None:
    """Add a drill's figures to the file that DRILL_FIGURES names, if it names one."""
    if path := os.environ.get("DRILL_FIGURES"):
        said = [each for load in loads for each in load.said]
        failed = sum(len(load.faults) for load in loads)
        figures = {
            "drill": drill,
            "requests": len(said),
            "busy": len([each for each in said if each.status == 503]),
            "failed": failed,
            "slowest": max((load.slowest for load in loads), default=0.0),
            "grants_lost": grants_lost,
        }
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(figures)}\n")
