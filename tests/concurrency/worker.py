"""A process of its own that asks for one binding's token many times at once, round after round.

Configured by the environment like the service. Says `ready`; for each line that it reads it says
`asked` once every caller is under way and the process has looked whether the lease is free (or
found a token that another process renewed), and then prints what they all got, tokens only by
their hash.
"""

import asyncio
import hashlib
import json
import sys
from typing import Any
from unittest.mock import patch
from uuid import UUID

from xero_service import wiring
from xero_service.domain import Grant
from xero_service.settings import load
from xero_service.store.grants import Grants
from xero_service.wiring import Services

current = Grants.current


class Round:
    """Fifty callers, say, that start at the same moment."""

    def __init__(self, services: Services, org_id: str, binding_id: UUID, callers: int) -> None:
        self.services, self.org_id, self.binding_id = services, org_id, binding_id
        self.callers, self.under_way = callers, 0
        self.all_under_way, self.looked = asyncio.Event(), asyncio.Event()

    async def ask(self) -> str:
        self.under_way += 1
        if self.under_way == self.callers:
            self.all_under_way.set()
        tokens = self.services.tokens
        client = await tokens.get_client_for_tenant_binding(self.binding_id, self.org_id)
        self.looked.set()
        return hashlib.sha256(client.access_token.encode()).hexdigest()

    async def run(self) -> list[str]:
        async def noting(*arguments: Any, **options: Any) -> Grant | None:
            grant = await current(*arguments, **options)
            self.looked.set()
            return grant

        with patch.object(Grants, "current", noting):
            async with asyncio.TaskGroup() as tasks:
                asked = [tasks.create_task(self.ask()) for _ in range(self.callers)]
                await self.all_under_way.wait()
                await self.looked.wait()
                say("asked")
        return sorted({task.result() for task in asked})


async def work(org_id: str, binding_id: UUID, callers: int) -> None:
    async with wiring.services(load()) as services:
        await services.database.check()
        say("ready")
        while await asyncio.to_thread(sys.stdin.readline):
            say(json.dumps(await Round(services, org_id, binding_id, callers).run()))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    org, binding, count = sys.argv[1:]
    asyncio.run(work(org, UUID(binding), int(count)))
