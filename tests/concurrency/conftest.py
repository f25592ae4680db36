"""Processes of the service beside the one that the test runs in."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from demo import ports
from demo.environment import without_service_variables
from demo.processes import Child
from demo.stack import DRAIN_SECONDS, SERVICE, Replica

StartReplica: TypeAlias = Callable[..., AbstractAsyncContextManager[Replica]]


@pytest.fixture
def process_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {**without_service_variables(os.environ), **environment}


@pytest.fixture
def replica(process_environment: dict[str, str], tmp_path: Path) -> StartReplica:
    """Start a real process of the service on the test's database and Xero.

    `program`: what to start instead of `xero-service`, with the same options.
    """

    @asynccontextmanager
    async def start(*options: str, program: Sequence[str] = (SERVICE,)) -> AsyncIterator[Replica]:
        port = ports.free()
        child = Child.start(
            "The service",
            [*program, "serve", "--port", str(port), *options],
            log=tmp_path / f"service-{port}.log",
            env=process_environment,
            cwd=tmp_path,
        )
        try:
            await asyncio.to_thread(child.wait_until_answering, f"http://127.0.0.1:{port}/readyz")
            yield Replica(child, f"http://127.0.0.1:{port}")
        finally:
            await asyncio.to_thread(child.stop, grace=DRAIN_SECONDS)

    return start
