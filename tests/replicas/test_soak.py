"""R27: mixed load with random faults leaves nothing behind: no task, connection, lease, memory.

`make soak` runs the long form; SOAK_SECONDS says how long. Faults are drawn from a seed that is
printed, and SOAK_SEED draws the same again.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import httpx
import pytest

from tests.concurrency.conftest import StartReplica
from tests.databases import END_OTHER_SESSIONS
from tests.people import Person
from tests.replicas import observed
from tests.replicas.load import Call, Load
from tests.service_api.callers import ORGANISATION, Service, service
from tests.world import ACME, ACME_ADMIN, World, until
from xero_sandbox.client import SandboxError
from xero_sandbox.samples import (
    ACCOUNTANT,
    ACME_BOOKKEEPER,
    ACME_SERVICES,
    ACME_TRADING,
    DEMO_COMPANY,
    TEN_ORGS,
    TEN_ORGS_OWNER,
)

SECONDS = 4.0
ANSWERS_UNTIL_WARM = 300  # or what is loaded once would look like a leak
INTERVALS = 3  # a leak grows in each of them; a cache that fills late grows in one
LONG_SECONDS = float(os.environ.get("SOAK_SECONDS", "300"))
SEED = int(os.environ.get("SOAK_SEED", random.SystemRandom().randrange(1_000_000)))
POOL = 5
OPEN = """
SELECT
    (SELECT count(*) FROM integration_grants WHERE lease_holder IS NOT NULL) AS grant_leases,
    (SELECT count(*) FROM integration_grants
        WHERE status = 'active' AND refresh_sent_at IS NOT NULL) AS sent,
    (SELECT count(*) FROM leases WHERE holder IS NOT NULL) AS leases,
    (SELECT count(*) FROM call_budgets WHERE slots <> '{}') AS slots,
    (SELECT count(*) FROM remote_cleanups WHERE outcome IS NULL) AS cleanups,
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND state LIKE 'idle in transaction%') AS idle_in_transaction
"""
When = Literal["before", "after"]
FAULTS: tuple[tuple[str, str, When], ...] = (
    ("token.refresh", "drop", "after"),
    ("token.refresh", "timeout", "after"),
    ("token.refresh", "502", "after"),
    ("token.refresh", "malformed_json", "after"),
    ("token.refresh", "missing_refresh_token", "after"),
    ("token.refresh", "500", "before"),
    ("token.refresh", "429", "before"),
    ("token.refresh", "html403", "before"),
    ("token.refresh", "slow", "before"),
    ("token.code", "503", "before"),
    ("connections", "drop", "before"),
    ("connections", "503", "before"),
    ("api", "drop", "before"),
    ("api", "503", "before"),
    ("api", "slow", "before"),
    ("api", "timeout", "before"),
    ("revocation", "503", "before"),
)


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """The service's, in a hurry: faults pass quickly, and upkeep comes round often."""
    return environment | {
        "XERO_TIMEOUT_SECONDS": "0.5",
        "REFRESH_LEASE_SECONDS": "2",
        "UPKEEP_INTERVAL_SECONDS": "0.5",
        "DATABASE_POOL_SIZE": str(POOL),
        "LOG_LEVEL": "ERROR",
    }


@dataclass(frozen=True)
class Day:
    """One replica, those who call it, and what goes wrong meanwhile."""

    world: World
    admin: Person
    billing: Service
    bindings: list[str]
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311

    def calls(self) -> Iterator[Call]:
        """Whoever calls, each of them again and again."""
        for binding in self.bindings:
            yield partial(self.billing.token, binding)
            yield partial(self.billing.calls, binding, ORGANISATION)
        yield self.hangs_up
        yield self.comes_back
        yield partial(self.billing.request, "POST", "/refresh")
        yield partial(self.billing.request, "GET", "/bindings")
        yield partial(self.billing.request, "GET", "/activity")
        yield partial(self.billing.presenting("xsk_nobody").token, self.bindings[0])

    async def hangs_up(self) -> httpx.Response:
        path = f"/bindings/{self.chance.choice(self.bindings)}/token"
        return await self.billing.request("POST", path, timeout=self.chance.uniform(0.001, 0.05))

    async def comes_back(self) -> httpx.Response:
        """Disconnect one organisation and connect it again, as far as that goes just now."""
        for binding in (await self.admin.get("/bindings")).json().get("bindings", []):
            if binding["tenantId"] == DEMO_COMPANY:
                await self.admin.post("/disconnect", {"tenantBindingId": binding["id"]})
        began = await self.admin.get("/start")
        if not began.is_success:
            return began
        address = began.json()["authorizationUrl"]
        back = await self.admin.returns(await asyncio.to_thread(self._allow, address))
        grant_id = httpx.URL(back.headers.get("location", "")).params.get("grantId")
        if grant_id is None:
            return back
        chosen = {"grantId": grant_id, "tenantId": DEMO_COMPANY}
        return await self.admin.post("/tenants/select", chosen)

    def _allow(self, address: str) -> str:
        """Allow the organisation, or go on without where Xero has not disconnected it yet."""
        sandbox, user = self.world.sandbox, ACME_BOOKKEEPER.xero_user_id
        try:
            return sandbox.consent(address, user, [DEMO_COMPANY])
        except SandboxError:
            return sandbox.consent(address, user, [])

    async def goes_wrong(self) -> None:
        """Let tokens grow old, Xero fail, and connections to the database break, at random."""
        database, sandbox = self.world.database, self.world.sandbox
        while True:
            age = self.chance.choice(["1 minute", "-1 minute"])
            await database.execute(
                "UPDATE integration_grants SET expires_at = now() + $1::text::interval,"
                " next_refresh_at = NULL WHERE id = (SELECT id FROM integration_grants"
                " WHERE status = 'active' ORDER BY random() LIMIT 1)",
                age,
            )
            if self.chance.random() < 0.5:
                kind, fault, when = self.chance.choice(FAULTS)
                await asyncio.to_thread(
                    partial(sandbox.fault, kind, fault, when=when, seconds=1, retry_after=1)
                )
            if self.chance.random() < 0.02:
                await database.execute(END_OTHER_SESSIONS)
            await asyncio.sleep(0.15)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[Load]:
        going_wrong = asyncio.create_task(self.goes_wrong())
        async with Load.of(list(self.calls()), pause=0.1) as load:
            yield load
        going_wrong.cancel()
        await asyncio.gather(going_wrong, return_exceptions=True)
        await asyncio.to_thread(self.world.sandbox.clear_faults)

    async def evening(self) -> dict[str, int]:
        """Wait until all that was begun has come to its end; return what the replica holds."""
        try:
            await until(self.nothing_is_open, within=60)
        except TimeoutError as error:
            raise AssertionError(f"seed {SEED}, still open: {await self.open()}") from error
        looks = []
        for _ in range(20):  # a round of upkeep has tasks of its own: look between two
            looks.append(await self.look())
            await asyncio.sleep(0.1)
        return min(looks, key=lambda look: look["tasks"])

    async def look(self) -> dict[str, int]:
        found: dict[str, int] = (await self.billing.http.get("/inside")).json()
        return found

    async def nothing_is_open(self) -> bool:
        await self.world.hurries()
        return not any((await self.open()).values())

    async def open(self) -> dict[str, int]:
        """What is under way or held, in the database and in the replica."""
        inside = await self.look()
        return dict(await self.world.database.fetchrow(OPEN)) | {
            "background": inside["background"],
            "flights": inside["flights"],
        }


@asynccontextmanager
async def day_of(world: World, replica: StartReplica) -> AsyncIterator[Day]:
    """Connect three Xero users' organisations, and start a replica that tells what it holds."""
    admin = await world.acme_admin()
    kept = [
        await admin.connects(ACME_TRADING),
        await admin.connects(ACME_SERVICES, xero_user=ACCOUNTANT.xero_user_id),
        await admin.connects(TEN_ORGS[0], xero_user=TEN_ORGS_OWNER.xero_user_id),
    ]
    world.sandbox.switch(rateLimits=False)
    async with (
        replica(program=(sys.executable, observed.__file__)) as started,
        httpx.AsyncClient(base_url=started.url, timeout=30, trust_env=False) as http,
        httpx.AsyncClient(base_url=started.url, timeout=30, trust_env=False) as browser,
    ):
        yield Day(
            world,
            Person(ACME_ADMIN, ACME, world.sandbox, browser, admin.azp),
            await service(world.application, http=http),
            [binding["id"] for binding in kept],
        )


@pytest.mark.parametrize("seconds", [SECONDS, pytest.param(LONG_SECONDS, marks=pytest.mark.soak)])
async def test_mixed_load_with_random_faults_leaves_nothing_behind_r27(
    world: World, replica: StartReplica, seconds: float
) -> None:
    async with day_of(world, replica) as day:
        async with day.going_on() as load:
            await asyncio.sleep(min(seconds / 2, 30))  # caches fill, pools open

            async def is_warm() -> bool:
                return len(load.said) > ANSWERS_UNTIL_WARM

            await until(is_warm, within=300)
        after = await day.evening()
        for _ in range(INTERVALS):
            before = after
            async with day.going_on() as load:
                await asyncio.sleep(seconds)
            after = await day.evening()
            said = (
                f"seed {SEED}, before and after {seconds:g} s: {before} {after}\n{load.summary()}"
            )
            sys.stdout.write(f"\n{said}\n")
            assert not any(each.status == 500 for each in load.said), said
            assert len(load.tokens) > seconds / 4, said
            if not grown(before, after):
                break
        assert not grown(before, after), said
        assert await connections(world) <= 2 * POOL + 1, said
        await every_grant_lives(day)


def grown(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """Return what a replica holds more of after an interval of load."""
    bounds = {
        "tasks": before["tasks"] + 1,
        # Pools, toward the database and Xero, are fuller at one time than at another.
        "files": before["files"] + 2 * POOL,
        "objects": before["objects"] * 1.1,
        "memory": before["memory"] * 1.25,
    }
    return [name for name, bound in bounds.items() if after[name] > bound]


async def connections(world: World) -> int:
    """To this database: of the replica, of the application in this process, and the test's own."""
    found = await world.database.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend'"
    )
    return int(found)


async def every_grant_lives(day: Day) -> None:
    """Not one was lost to all this: each is refreshed once more, and Xero takes the token."""
    world = day.world
    assert await world.grants("refresh_failed") == []
    await world.database.execute("UPDATE integration_grants SET expires_at = now()")
    async with httpx.AsyncClient(base_url=world.sandbox.base_url, trust_env=False) as xero:
        for binding in day.bindings:
            answer: Any = await day.billing.token(binding)
            assert answer.status_code == 200, answer.text
            headers = {"Authorization": f"Bearer {answer.json()['accessToken']}"}
            assert (await xero.get("/api/connections", headers=headers)).is_success
