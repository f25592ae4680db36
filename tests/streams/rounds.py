"""Rounds of B1 (S53): an upload of org A that meets something odd, and calls of org B beside it."""

import asyncio
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.service_api.callers import now, service
from tests.service_api.conftest import Connected
from tests.streams.raw_caller import Answer, RawCaller, Target
from tests.streams.raw_upstream import Plan, RawUpstream
from tests.world import GLOBEX, Application, until
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT
from xero_sandbox.samples import GLOBEX_BOOKKEEPER

SEED = int(os.environ.get("SOAK_SEED", random.SystemRandom().randrange(1_000_000)))
LARGE = 10_000_000
STALE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstale!"

ODDITIES: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"closes": True},
    {"breaks_off": True},
    {"extra": STALE},
]


@dataclass(frozen=True)
class Round:
    """What happens in one round."""

    number: int
    size: int
    is_sized: bool
    leaves_at: int | None
    plan: Plan

    @classmethod
    def drawn(cls, dice: random.Random, number: int, often_large: float) -> "Round":
        """Draw what happens; the first two are large, with an early answer and no fault."""
        is_plain = number < 2
        size = (
            LARGE
            if is_plain or dice.random() < often_large
            else dice.randrange(1_100_000, 2_500_000)
        )
        after = dice.choice([None, 0, dice.randrange(size)])
        leaves_at = dice.choice([None, None, None, dice.randrange(size), size])
        if is_plain:
            after, leaves_at = dice.choice([0, dice.randrange(size)]), None
        oddity = {} if is_plain else dice.choice(ODDITIES)
        ends = dice.randrange(after or 0, size)
        plan = Plan(
            after=after,
            rest_after=dice.choice([None, after, ends]),
            status=200 if is_plain else dice.choice([200, 200, 201, 400, 413]),
            body=dice.randbytes(dice.choice([2, 300_000])),
            is_chunked=dice.random() < 0.5,
            pause=dice.choice([0.0, 0.0, 0.0002]),
            **oddity,
        )
        return cls(number, size, number % 2 == 0, leaves_at, plan)


@dataclass
class Rounds:
    """Two orgs that use the same replicas, and the host that they call."""

    addresses: Sequence[str]
    upstream: RawUpstream
    acme: Target
    globex: Target
    connected: Connected
    uploads: list[tuple[Round, bytes, Answer]] = field(default_factory=list)

    async def run(self, count: int) -> None:
        """Do so many rounds, and check after each what may never be.

        Where they are many most uploads are of 10 MB, else a tenth: both are longer under way than
        what sockets hold.
        """
        often_large = 0.1 if count < 100 else 0.8
        for number in range(count):
            dice = random.Random(f"{SEED} {number}")  # noqa: S311 - a test's dice
            await self._forget_calls()
            drawn = Round.drawn(dice, number, often_large)
            try:
                async with asyncio.timeout(60):
                    await self._round(drawn, dice)
                self._check_connections()
            except BaseException as error:
                error.add_note(f"SOAK_SEED={SEED}, {drawn}"[:600])
                raise

    async def _round(self, drawn: Round, dice: random.Random) -> None:
        body = dice.randbytes(drawn.size)
        plan = f"a{drawn.number}"
        self.upstream.plans[plan] = drawn.plan
        pauses = [dice.random() * 0.1 for _ in range(2)]
        async with asyncio.TaskGroup() as tasks:
            for beside, pause in enumerate(pauses):
                tasks.create_task(self._other_call(f"b{drawn.number}x{beside}", pause))
            async with RawCaller.connected(self._address(drawn.number)) as caller:
                answer, is_sent = await caller.upload(
                    self.acme,
                    plan,
                    body,
                    is_sized=drawn.is_sized,
                    dice=dice,
                    leaves_at=drawn.leaves_at,
                )
                await self._other_call(f"b{drawn.number}x9", 0)
                if answer.is_whole and is_sent and not answer.closes:
                    await self._same_connection(caller, f"c{drawn.number}")
        await self._check_upload(drawn, body, answer)

    async def _other_call(self, plan: str, pause: float) -> None:
        """Make a call of org B, which gets its own answer."""
        await asyncio.sleep(pause)
        self.upstream.plans[plan] = Plan(body=f"for {plan}".encode())
        async with RawCaller.connected(
            self._address(len(plan) + len(self.upstream.requests))
        ) as caller:
            answer = await caller.get(self.globex, plan)
        assert (answer.status, answer.body) == (200, f"for {plan}".encode()), plan
        (request,) = self.upstream.of(plan)
        assert f"\r\nxero-tenant-id: {GLOBEX_TENANT}\r\n".encode() in request.head.lower()

    async def _same_connection(self, caller: RawCaller, plan: str) -> None:
        """The caller's connection is in step, too, or closed."""
        self.upstream.plans[plan] = Plan(body=f"for {plan}".encode())
        answer = await caller.get(self.acme, plan)
        assert (answer.status, answer.body) in {(200, f"for {plan}".encode()), (0, b"")}

    async def _check_upload(self, drawn: Round, body: bytes, answer: Answer) -> None:
        arrived = self.upstream.of(f"a{drawn.number}")
        assert len(arrived) <= 1
        succeeded = answer.is_whole and answer.status < 400
        if succeeded and not drawn.plan.closes:  # what Xero leaves in its buffers is Xero's
            await until(lambda: now(bool(arrived) and arrived[0].is_whole))
            assert answer.body == drawn.plan.body
        for request in arrived:
            assert body.startswith(request.body), "bytes that A did not send"
            assert not request.is_whole or len(request.body) == len(body), "cut, and looks whole"
        if drawn.plan.breaks_off:
            assert not succeeded

    def _check_connections(self) -> None:
        """No connection was used again after a half-sent request or a half-read answer."""
        last = dict[int, int]()
        for index, request in enumerate(self.upstream.requests):
            if (before := last.get(request.connection)) is not None:
                earlier = self.upstream.requests[before]
                assert earlier.is_whole
                assert earlier.is_answered
                assert not earlier.plan.extra
            last[request.connection] = index

    def _address(self, turn: int) -> str:
        return self.addresses[turn % len(self.addresses)]

    async def _forget_calls(self) -> None:
        """Both orgs have 60 calls a minute, and more are made here."""
        await self.connected.world.database.execute("UPDATE call_budgets SET recent_calls = '{}'")


async def rounds_of(
    application: Application, connected: Connected, upstream: RawUpstream, *addresses: str
) -> Rounds:
    """Let acme and globex call `upstream` through the service at these addresses."""
    admin = await connected.world.globex_admin()
    binding = await admin.connects(GLOBEX_TENANT, xero_user=GLOBEX_BOOKKEEPER.xero_user_id)
    keys = [
        await service(application, "api:call", org_id=org_id, name=name)
        for org_id, name in (("org_acme", "a"), (GLOBEX, "b"))
    ]
    acme, globex = (each.made.secret for each in keys)
    return Rounds(
        addresses,
        upstream,
        Target(connected.id, acme),
        Target(str(binding["id"]), globex),
        connected,
    )
