"""Real processes of the service, each with its METRICS_PORT."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import httpx
import psutil
import pytest

from demo import ports
from demo.processes import Child
from demo.stack import DRAIN_SECONDS, SERVICE
from tests.concurrency.conftest import process_environment as process_environment
from tests.metrics.scrape import Samples, parsed


@dataclass(frozen=True)
class Running:
    """A process, and where it tells of itself; each request has a connection of its own."""

    child: Child
    api: str
    metrics: str

    async def get(self, address: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=120) as http:
            return await http.get(address)

    async def head(self, address: str) -> int:
        async with httpx.AsyncClient(trust_env=False, timeout=120) as http:
            return (await http.head(address)).status_code

    async def scrape(self, at: str | None = None) -> Samples:
        answer = await self.get(f"{at or self.metrics}/metrics")
        assert answer.status_code == 200, answer.text
        return parsed(answer.text)

    def workers(self) -> list[psutil.Process]:
        """The processes that serve; not the one that python uses to clean up."""
        children = psutil.Process(self.child.pid).children()
        return [child for child in children if "spawn_main" in _command(child)]


def _command(process: psutil.Process) -> str:
    """Return its command line, or nothing where it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


Start: TypeAlias = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start(process_environment: dict[str, str], tmp_path: Path) -> Start:
    """Start `xero-service` with these words; `program`: what to start in its place."""
    (tmp_path / "tmp").mkdir()

    @asynccontextmanager
    async def started(*words: str, program: tuple[str, ...] = (SERVICE,)) -> AsyncIterator[Running]:
        port, metrics_port = ports.free(), ports.free()
        options = ("--port", str(port)) if words[0] == "serve" else ()
        child = Child.start(
            words[0],
            [*program, *words, *options],
            log=tmp_path / f"{words[0]}-{metrics_port}.log",
            env=process_environment
            | {"METRICS_PORT": str(metrics_port), "TMPDIR": str(tmp_path / "tmp")},
            cwd=tmp_path,
        )
        running = Running(child, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}")
        try:
            await asyncio.to_thread(child.wait_until_answering, f"{running.metrics}/readyz")
            yield running
        finally:
            await asyncio.to_thread(child.stop, grace=DRAIN_SECONDS)

    return started
