"""R31: the primary is killed in the middle of refreshes, and its standby is promoted.

A synchronous standby has each commit that anybody was told of. An asynchronous one lacks the last
rotations: its rows have refresh tokens that Xero has replaced and accepts for 30 more minutes
(facts §2.5).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle

import asyncpg
import httpx
import pytest

from tests.concurrency.conftest import StartReplica
from tests.crashes.conftest import SHORT_LEASES, Doom
from tests.outages.many_grants import Member, crowd
from tests.recovery import servers
from tests.recovery.servers import ReplicatedPair
from tests.replicas.load import Call, Load, record
from tests.service_api.callers import Service, service
from tests.world import Hold, World, until
from xero_service.errors import ExternalAPIError, ReauthorizationRequired
from xero_service.failpoints import Place
from xero_service.store.connections import Connector

# The failover ends before a lease does, so that no attempt is taken over while its holder lives.
LONG_LEASES = {"REFRESH_LEASE_SECONDS": "45"}
GRACE_SECONDS = 30 * 60
IN_A_REFRESH = (Place.REFRESH_CLAIMED, Place.REFRESH_ANSWERED, Place.REFRESH_SAVED)


@pytest.fixture
def direct_url(pair: ReplicatedPair) -> str:
    return servers.url_on(pair.primary)


@pytest.fixture
def database_url(pair: ReplicatedPair) -> str:
    return pair.url


@dataclass(frozen=True)
class Crowd:
    """Grants of one service, by what happens to them; each has expired."""

    busy: Sequence[Member]  # read all the time, and refreshed again and again
    late: Sequence[Member]  # refreshed for the first time just before the primary dies
    held: Sequence[Member]  # rotated by Xero, whose answer arrives after the failover
    interrupted: Member  # refreshed by a process that is killed before the primary

    @classmethod
    async def connected(cls, world: World, size: int) -> "Crowd":
        everybody = await crowd(world, size + 6)
        return cls(everybody[6:], everybody[1:3], everybody[3:6], everybody[0])

    @property
    def everybody(self) -> list[Member]:
        return [*self.busy, *self.late, *self.held, self.interrupted]


@asynccontextmanager
async def growing_old(url: str, members: Sequence[Member]) -> AsyncIterator[None]:
    """Let refreshes be under way nearly all the time, on whichever server accepts writes."""

    async def work() -> None:
        for member in cycle(members):
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await Connector.to(url).connect()
                try:
                    await connection.execute(
                        "UPDATE integration_grants SET expires_at = now() - interval '1 minute'"
                        " WHERE id = $1",
                        member.grant_id,
                    )
                finally:
                    await connection.close()
            await asyncio.sleep(0.1)

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        working.cancel()
        await asyncio.wait([working])


@pytest.mark.parametrize("is_synchronous", [True, False], ids=["synchronous", "asynchronous"])
@pytest.mark.parametrize(
    ("place", "size", "replicas"),
    [
        (Place.REFRESH_ANSWERED, 4, 1),
        *(pytest.param(each, 40, 2, marks=pytest.mark.soak) for each in IN_A_REFRESH),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Place) else str(value),
)
async def test_a_failover_under_load_loses_no_grant_r31(
    world: World,
    pair: ReplicatedPair,
    replica: StartReplica,
    process_environment: dict[str, str],
    doom: Doom,
    is_synchronous: bool,
    place: Place,
    size: int,
    replicas: int,
) -> None:
    process_environment |= LONG_LEASES if is_synchronous else SHORT_LEASES
    process_environment["UPKEEP_INTERVAL_SECONDS"] = "1"
    people = await Crowd.connected(world, size)

    async with AsyncExitStack() as stack:
        callers = []
        for _ in range(replicas):
            running = await stack.enter_async_context(replica())
            http = httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=60)
            await stack.enter_async_context(http)
            callers.append(await service(world.application, http=http))
        if is_synchronous:
            await pair.replicate_synchronously()
        else:
            await pair.replicate_asynchronously()

        async with (
            growing_old(pair.url, people.busy),
            Load.of(reads(callers, people.busy), pause=0.05) as load,
        ):
            await until(lambda: has_seen(load, 2 * len(people.busy)), within=300)
            if not is_synchronous:
                await pair.stop_receiving()
            late = [await callers[0].token(str(each.binding_id)) for each in people.late]
            doomed = str(people.interrupted.grant_id)
            await asyncio.to_thread(doom.at, place, "refresh", grant=doomed)
            async with held_at_xero(world, callers[-1], people.held):
                await pair.fail_over()
            back = time.monotonic()
            await until(lambda: all_served(load, len(people.busy), since=back), within=120)
        async with Load.of(reads(callers, people.everybody), pause=0.05) as afterwards:
            await until(lambda: all_served(afterwards, len(people.everybody)), within=120)
            await until(lambda: all_renewed(pair), within=120)
            if not is_synchronous:
                await until(lambda: is_noticed(pair), within=120)

    assert [answer.status_code for answer in late] == [200, 200]
    assert 503 in {each.status for each in load.said}, "the load has not met the failover"
    assert load.faults == [], load.summary()
    assert afterwards.faults == [], afterwards.summary()
    if is_synchronous:
        assert max(presented(world, people)) == 1, "a rotation that was saved was lost"
        assert await hold(pair) is None
    else:
        assert max(presented(world, people)) > 1, "no rotation was lost"
    lost = await grants_lost(world, pair, people)
    kind = "synchronous" if is_synchronous else "asynchronous"
    record(f"failover, {kind} standby", load, afterwards, grants_lost=lost)
    assert lost == 0


async def is_noticed(pair: ReplicatedPair) -> bool:
    """Whether a replica knows by now that an event which it had committed is lost."""
    return await hold(pair) == "database_restored"


def reads(callers: Sequence[Service], members: Sequence[Member]) -> list[Call]:
    """Return a call for each member's token, by the callers in turn."""
    pairs = zip(cycle(callers), members, strict=False)
    return [partial(caller.token, str(member.binding_id)) for caller, member in pairs]


@asynccontextmanager
async def held_at_xero(
    world: World, caller: Service, members: Sequence[Member]
) -> AsyncIterator[None]:
    """Keep Xero's answers to the members' refreshes until the block has ended."""
    holds = [
        Hold(
            world.sandbox,
            world.sandbox.fault("token.refresh", "hold", when="after", user=each.xero_user_id),
        )
        for each in members
    ]
    async with asyncio.TaskGroup() as tasks:
        for each in members:
            tasks.create_task(caller.token(str(each.binding_id)))
        for hold in holds:
            await hold.reached()
        yield
        for hold in holds:
            await hold.release()


async def has_seen(load: Load, tokens: int) -> bool:
    """Whether refreshes are under way: callers were given so many different tokens."""
    return len(load.tokens) >= tokens


async def all_served(load: Load, callers: int, *, since: float = 0) -> bool:
    return all(load.served(caller, since=since) for caller in range(callers))


async def all_renewed(pair: ReplicatedPair) -> bool:
    """Whether the service noticed the failover and renewed every grant, none being under way."""
    query = """
        SELECT coalesce(bool_and(
            refresh_sent_at IS NULL AND refresh_token_issued_at > renew_issued_before), false)
        FROM integration_grants, database_mark
        """
    return bool(await servers.value(pair.standby, query))


async def hold(pair: ReplicatedPair) -> str | None:
    """Why verdicts are held, if they are."""
    query = "SELECT reason FROM verdict_hold WHERE held_since IS NOT NULL"
    found: str | None = await servers.value(pair.standby, query)
    return found


def presented(world: World, people: Crowd) -> list[int]:
    """How often each refresh token was presented, but for those of the killed process's grant."""
    return [
        use["presented"]
        for use in world.sandbox.token_uses()
        if use["xeroUserId"] != people.interrupted.xero_user_id
    ]


async def grants_lost(world: World, pair: ReplicatedPair, people: Crowd) -> int:
    """How many refresh tokens that are stored Xero does not accept, once every grace is over."""
    world.sandbox.advance(GRACE_SECONDS + 60)
    await servers.value(pair.standby, "UPDATE integration_grants SET expires_at = now()")
    lost = 0
    for member in people.everybody:
        try:
            await world.services.tokens.refresh_grant_single_flight(member.grant_id)
        except (ReauthorizationRequired, ExternalAPIError):
            lost += 1
    return lost
