"""Events: the rate of deliveries, what a dead endpoint delays, and what an event costs a change."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from unittest.mock import patch
from uuid import UUID, uuid4

from bench import stage
from bench.figures import Bar, Figure, Picture
from bench.raw_http import HttpConnection, Response
from bench.stage import ORG, QUIET, Stage
from demo.stack import LOOPBACK, Replica
from xero_service import wiring
from xero_service.app import PREFIX
from xero_service.domain import AT_ONCE_PER_ENDPOINT, SYSTEM, Event, EventKind, StoredEvent
from xero_service.outbound.webhook_sender import WebhookSender
from xero_service.services.events.delivery_signature import new_secret, signed
from xero_service.settings import load
from xero_service.store.events import Events
from xero_service.wiring import Services

EVENTS, BINDINGS = 3_000, 100
ENDPOINTS, EVENTS_FOR_EACH, ROUNDS = 10, 200, 3
CHANGES = 300
WEBHOOKS = 300
DEAD = "/0"

TITLE = "Events"
HOW = f"""One process of the service delivers {EVENTS:,} events of {BINDINGS} bindings to one
endpoint on loopback; the clock runs from the first arrival to the last. The floor is a loop of
{AT_ONCE_PER_ENDPOINT} workers that signs and sends as many by the service's own client, with no
database behind it, half of them before and half after. Then {EVENTS_FOR_EACH} events for each of
{ENDPOINTS} endpoints, {ROUNDS} times with all of them alive and {ROUNDS} times with one that
answers 500, alternating: the time from the commit to the last arrival at the other nine is the age
of their oldest undelivered event. Then an operator's suspension, which is one transaction with an
audit event, {CHANGES} times with its event and {CHANGES} times without, alternating. Last,
{WEBHOOKS} signed webhooks of Xero with one event each, one after another on one connection, and
as many whose signature is wrong, alternating."""


@dataclass
class Receiver:
    """A server whose paths are endpoints; `dead` ones answer 500, the others 204."""

    port: int = 0
    dead: frozenset[str] = frozenset()
    arrivals: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str) -> str:
        """Return the URL of an endpoint."""
        return f"http://{LOOPBACK}:{self.port}{path}"

    async def has(self, paths: Sequence[str], count: int) -> None:
        """Wait until each of these paths has received `count` requests."""
        while any(len(self.arrivals[path]) < count for path in paths):
            self.arrived.clear()
            await self.arrived.wait()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).lower():
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                path = head.split(b" ", 2)[1].decode()
                self.arrivals[path].append(time.perf_counter())
                self.arrived.set()
                status = b"500 No\r\nContent-Length: 0" if path in self.dead else b"204 Yes"
                writer.write(b"HTTP/1.1 " + status + b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def measure() -> tuple[tuple[Figure, ...], Picture]:
    """Return the rate of deliveries, the delay by a dead endpoint, and the cost of an event."""
    with stage.ready(QUIET) as ready:
        ready.stack.replicas[0].child.stop()
        async with _receiver() as receiver, _services(ready) as services:
            before = await _bare_rate(receiver)
            replica = ready.serve(UPKEEP_INTERVAL_SECONDS="1")
            rate = await _delivery_rate(services, receiver)
            bare = statistics.mean((before, await _bare_rate(receiver)))
            alive, beside_dead, sent_to_dead = await _ages(ready, services, receiver)
            unsigned, signed_ = await _webhooks(ready, replica)
            replica.child.stop(grace=30)
            without, with_event = await _changes(ready, services)
    return (
        Figure(
            name="Events a second, one process, one endpoint",
            value=rate,
            unit="/s",
            floor=f"the bare loop: {bare:.0f}/s",
        ),
        Figure(
            name=f"Oldest undelivered at the other {ENDPOINTS - 1} endpoints, one dead over none",
            value=beside_dead / alive,
            unit="x",
            floor=f"{beside_dead:.2f} s over {alive:.2f} s",
            wanted=("≤", 1.2),
        ),
        Figure(
            name="Requests to the dead endpoint, most in a round",
            value=sent_to_dead,
            floor=f"of {EVENTS_FOR_EACH} events",
            wanted=("≤", AT_ONCE_PER_ENDPOINT + 2),
        ),
        Figure(
            name="Transaction of a change with its event over without",
            value=with_event / without,
            unit="x",
            floor=f"{with_event * 1000:.2f} ms over {without * 1000:.2f} ms",
            wanted=("≤", 1.1),
        ),
        Figure(
            name="Answer to a webhook of Xero, median",
            value=signed_ * 1000,
            unit="ms",
            floor=f"one whose signature is wrong: {unsigned * 1000:.1f} ms",
            wanted=("≤", 1000),
        ),
    ), Picture(
        title="Events a second to one endpoint",
        unit="/s",
        bars=(
            Bar(label=f"bare loop, {AT_ONCE_PER_ENDPOINT} at a time", value=bare, ours=False),
            Bar(label="one process", value=rate),
        ),
    )


@asynccontextmanager
async def _receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, LOOPBACK, 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


@asynccontextmanager
async def _services(ready: Stage) -> AsyncIterator[Services]:
    with patch.dict(os.environ, ready.stack.environment):
        settings = load()
    async with wiring.services(settings) as services:
        yield services


async def _bare_rate(receiver: Receiver) -> float:
    """Return how many events a second are signed and sent without the service."""
    sender, secret, url = WebhookSender(), new_secret(), receiver.url("/bare")
    left = iter(range(EVENTS // 2))

    async def worker(left: Iterator[int]) -> None:
        for number in left:
            at = datetime.now(UTC)
            kind, binding = EventKind.BINDING_RENAMED, uuid4()
            event = StoredEvent(number, uuid4(), at, kind, ORG, binding, "tenant", {})
            answer = await sender.post(url, *signed([secret], event, at=at))
            assert answer.is_acknowledged, answer

    began = time.perf_counter()
    await asyncio.gather(*(worker(left) for _ in range(AT_ONCE_PER_ENDPOINT)))
    seconds = time.perf_counter() - began
    await sender.close()
    return EVENTS // 2 / seconds


async def _delivery_rate(services: Services, receiver: Receiver) -> float:
    await services.webhooks.create(SYSTEM, url=receiver.url("/all"), org_id=ORG, kinds=())
    await _add(services, EVENTS)
    await receiver.has(["/all"], EVENTS)
    arrivals = receiver.arrivals["/all"]
    return (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])


async def _ages(ready: Stage, services: Services, receiver: Receiver) -> tuple[float, float, int]:
    """Return the median age with all endpoints alive and with one dead, and its requests."""
    paths = [f"/{number}" for number in range(ENDPOINTS)]
    await _forget(ready, "webhook_endpoints")
    for path in paths:
        await services.webhooks.create(SYSTEM, url=receiver.url(path), org_id=ORG, kinds=())
    ages: dict[frozenset[str], list[float]] = defaultdict(list)
    sent_to_dead = 0
    for dead in (frozenset[str](), frozenset({DEAD})) * ROUNDS:
        receiver.dead = dead
        receiver.arrivals.clear()
        others = [path for path in paths if path != DEAD]
        await _add(services, EVENTS_FOR_EACH)
        committed_at = time.perf_counter()
        await receiver.has([path for path in paths if path not in dead], EVENTS_FOR_EACH)
        ages[dead].append(max(receiver.arrivals[path][-1] for path in others) - committed_at)
        if dead:
            sent_to_dead = max(sent_to_dead, len(receiver.arrivals[DEAD]))
        await asyncio.sleep(1)  # the last answers are recorded
        await _forget(ready, "events")
        await _revive(ready)
    alive, beside_dead = (statistics.median(each) for each in ages.values())
    return alive, beside_dead, sent_to_dead


async def _webhooks(ready: Stage, replica: Replica) -> tuple[float, float]:
    """Return the median seconds until a webhook is answered: refused with 401, and stored."""
    (bound,) = await ready.seed(1)
    key = ready.stack.environment["XERO_WEBHOOK_KEY"].encode()
    connection = await HttpConnection.open(replica.url)

    async def post(number: int, signing: bytes) -> Response:
        body = _webhook(bound.tenant_id, number)
        signature = base64.b64encode(hmac.digest(signing, body, hashlib.sha256)).decode()
        headers = {"content-type": "application/json", "x-xero-signature": signature}
        return await connection.request("POST", f"{PREFIX}/webhooks/xero", headers, body)

    times: dict[int, list[float]] = {401: [], 200: []}
    for number in range(1, WEBHOOKS + 1):
        for expected, signing in ((401, b"another key"), (200, key)):
            answer = await post(number, signing)
            assert answer.status == expected, answer
            times[expected].append(answer.seconds)
    await connection.close()
    return statistics.median(times[401]), statistics.median(times[200])


def _webhook(tenant_id: str, number: int) -> bytes:
    record = str(uuid4())
    event = {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{record}",
        "resourceId": record,
        "tenantId": tenant_id,
        "tenantType": "ORGANISATION",
        "eventCategory": "INVOICE",
        "eventType": "UPDATE",
        "eventDateUtc": "2026-11-28T09:12:30.902",
    }
    numbers = {"firstEventSequence": number, "lastEventSequence": number}
    return json.dumps({"events": [event], **numbers, "entropy": "S0m3r4Nd0mt3xt"}).encode()


async def _changes(ready: Stage, services: Services) -> tuple[float, float]:
    """Return the median seconds of a change's transaction without its event, and with it."""
    await _forget(ready, "webhook_endpoints")
    await services.webhooks.create(SYSTEM, url="http://localhost/", org_id=ORG, kinds=())
    (seeded,) = await ready.seed(1)
    with patch.object(Events, "defer", _adds_none):
        await _change(services, seeded.binding_id)  # connects, and prepares the statements
        without, with_event = [], []
        for _ in range(CHANGES):
            without.append(await _change(services, seeded.binding_id))
            with patch.object(Events, "defer", DEFER):
                with_event.append(await _change(services, seeded.binding_id))
    return statistics.median(without), statistics.median(with_event)


async def _change(services: Services, binding_id: UUID) -> float:
    """Suspend a binding and resume it; return the seconds of the suspension."""
    began = time.perf_counter()
    await services.operators.suspend(SYSTEM, binding_id)
    seconds = time.perf_counter() - began
    await services.operators.resume(SYSTEM, binding_id)
    return seconds


DEFER = Events.defer


def _adds_none(_: Events, *_events: Event) -> None:
    pass


async def _add(services: Services, count: int) -> None:
    bindings = [uuid4() for _ in range(BINDINGS)]
    async with services.database.transaction() as tx:
        await tx.events.add(
            *(
                Event(EventKind.BINDING_RENAMED, ORG, bindings[number % BINDINGS], "tenant")
                for number in range(count)
            )
        )


async def _forget(ready: Stage, table: str) -> None:
    """Delete all rows of a table, and with them the deliveries."""
    async with ready.connect() as database:
        await database.execute(f"DELETE FROM {table}")  # noqa: S608 (constants)


async def _revive(ready: Stage) -> None:
    async with ready.connect() as database:
        await database.execute("UPDATE webhook_endpoints SET failures = 0, next_attempt_at = NULL")
