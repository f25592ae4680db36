"""A process of its own that asks for one binding's token many times at once.

Configured by the environment like the service. Says `ready`, waits for a line, says `asked` once
every caller is under way and the process has reached for the lease, and then prints what they all
got, tokens only by their hash.
"""

import asyncio
import hashlib
import json
import sys
from typing import Any
from unittest.mock import patch
from uuid import UUID

from xero_service import wiring
from xero_service.domain import RefreshLease
from xero_service.settings import load
from xero_service.store.grant_leases import GrantLeases

reached_for_the_lease = asyncio.Event()
claim_refresh = GrantLeases.claim_refresh


async def noting(*arguments: Any, **options: Any) -> RefreshLease | None:
    lease = await claim_refresh(*arguments, **options)
    reached_for_the_lease.set()
    return lease


async def work(org_id: str, binding_id: UUID, callers: int) -> list[str]:
    async with wiring.services(load()) as services:
        await services.database.revision()
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        under_way = 0
        all_under_way = asyncio.Event()

        async def ask() -> str:
            nonlocal under_way
            under_way += 1
            if under_way == callers:
                all_under_way.set()
            client = await services.tokens.get_client_for_tenant_binding(binding_id, org_id)
            return hashlib.sha256(client.access_token.encode()).hexdigest()

        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(ask()) for _ in range(callers)]
            await all_under_way.wait()
            await reached_for_the_lease.wait()
            say("asked")
        return sorted({task.result() for task in asked})


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    org, binding, count = sys.argv[1:]
    with patch.object(GrantLeases, "claim_refresh", noting):
        say(json.dumps(asyncio.run(work(org, UUID(binding), int(count)))))
