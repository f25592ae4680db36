"""A process that issues one binding's token to many callers at once, round after round.

It takes the way of the token endpoint, from the service key on. Configured by the environment
like the service, and by `SERVICE_KEY`. Says `ready`; for each line that it reads it says
`asked` once every caller is under way and the process has looked whether the lease is free (or
found a token that another process renewed), and then prints what they all got, tokens only by
their hash.
"""

import asyncio
import hashlib
import json
import os
import sys
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

from xero_service import wiring
from xero_service.domain import Grant
from xero_service.services.service_keys.authorization import ServiceCredentials
from xero_service.settings import load
from xero_service.store.grants import Grants
from xero_service.wiring import Services

current = Grants.current


class Round:
    """Fifty callers, say, that start at the same moment."""

    def __init__(self, services: Services, key: str, binding_id: UUID, callers: int) -> None:
        self.services, self.binding_id = services, binding_id
        self.presented = ServiceCredentials(key, None, None, "127.0.0.1")
        self.callers, self.under_way = callers, 0
        self.all_under_way, self.looked = asyncio.Event(), asyncio.Event()

    async def ask(self) -> str:
        self.under_way += 1
        if self.under_way == self.callers:
            self.all_under_way.set()
        issued = await self.services.token_issuer.issue(
            self.presented, self.binding_id, min_validity=timedelta()
        )
        self.looked.set()
        return hashlib.sha256(issued.access_token.encode()).hexdigest()

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


async def work(key: str, binding_id: UUID, callers: int) -> None:
    async with wiring.services(load()) as services:
        await services.database.check()
        say("ready")
        while await asyncio.to_thread(sys.stdin.readline):
            say(json.dumps(await Round(services, key, binding_id, callers).run()))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    binding, count = sys.argv[1:]
    asyncio.run(work(os.environ["SERVICE_KEY"], UUID(binding), int(count)))
