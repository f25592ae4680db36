"""The receivers of docs/from-your-service.md, word for word, verify what is delivered."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from demo import ports
from tests.events.test_delivery import deliver, rested, write
from tests.service_api.test_documentation import GUIDE, example, node_packages
from tests.world import World, until
from xero_service.domain import SYSTEM

__all__ = ["node_packages"]

# What Next.js does around a route.
SERVER = """
import { createServer } from 'node:http'
import { POST } from './route.js'

createServer(async (request, response) => {
  const parts = []
  for await (const part of request) parts.push(part)
  const { headers } = request
  const body = Buffer.concat(parts)
  const answer = await POST(new Request('http://here/', { method: 'POST', headers, body }))
  response.writeHead(answer.status).end()
}).listen(Number(process.argv[2]), '127.0.0.1')
"""


def python_receiver(directory: Path, _: Path, port: int) -> list[str]:
    (directory / "receiver.py").write_text(example(GUIDE, "python", "standardwebhooks"))
    return [sys.executable, "-m", "uvicorn", "receiver:app", "--port", str(port)]


def node_receiver(directory: Path, packages: Path, port: int) -> list[str]:
    (directory / "route.js").write_text(example(GUIDE, "js", "standardwebhooks"))
    (directory / "server.js").write_text(SERVER)
    (directory / "package.json").write_text(json.dumps({"type": "module"}))
    (directory / "node_modules").symlink_to(packages / "node_modules")
    return ["node", "server.js", str(port)]


@asynccontextmanager
async def running(command: list[str], directory: Path, secret: str) -> AsyncIterator[None]:
    process = subprocess.Popen(  # noqa: ASYNC220
        command, cwd=directory, env=os.environ | {"WEBHOOK_SECRET": secret}
    )
    try:
        yield
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


@pytest.mark.parametrize("receiver", [python_receiver, node_receiver])
async def test_the_receiver_of_the_guide_verifies_also_while_a_secret_is_replaced(
    world: World, tmp_path: Path, node_packages: Path, receiver: object
) -> None:
    """R28: with the library of Standard Webhooks; what is not signed is refused."""
    assert callable(receiver)
    port = ports.free()
    url = f"http://127.0.0.1:{port}/events"
    made = await world.services.webhooks.create(SYSTEM, url=url, org_id=None, kinds=())
    command = receiver(tmp_path, node_packages, port)
    async with running(command, tmp_path, made.secret), httpx.AsyncClient() as forger:

        async def refuses() -> bool:
            try:
                answer = await forger.post(url, json={"kind": "binding.connected"})
            except httpx.HTTPError:
                return False
            assert answer.status_code == 401
            return True

        await until(refuses, within=60)
        await write(world, uuid4())
        await deliver(world)
        await world.services.webhooks.rotate(SYSTEM, made.endpoint.id)
        await write(world, uuid4())
        await rested(world)
        await deliver(world)

        found = await world.services.webhooks.deliveries(
            only_failed=False, endpoint_id=None, limit=10
        )
        assert [(each.state, each.attempts, each.last_status) for each in found] == [
            ("delivered", 1, 204)
        ] * 2
