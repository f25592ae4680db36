"""Events reach every endpoint that is up in the end, signed, in order per binding (R28)."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from tests.events.conftest import page
from tests.events.receiver import HANG, REDIRECT, RESET, Receiver, receiving
from tests.metrics.scrape import parsed, series
from tests.service_api.callers import Service
from tests.world import ACME, GLOBEX, Application, World, until
from xero_sandbox.samples import ACME_TRADING
from xero_service.domain import RETRY_AFTER, SYSTEM, Event, EventKind, webhooks
from xero_service.outbound import webhook_sender

REFUSES = "500 Internal Server Error\n\nno such table"


@pytest.fixture
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause ends by itself, however slow the machine is."""
    monkeypatch.setattr(webhooks, "RETRY_AFTER", (timedelta(days=1),) * len(RETRY_AFTER))


async def write(world: World, *bindings: UUID, org_id: str = ACME) -> None:
    """Write one event for each of these bindings, in this order."""
    async with world.services.database.transaction() as tx:
        await tx.events.add(
            *(
                Event(EventKind.BINDING_RENAMED, org_id, each, "tenant", {"n": number})
                for number, each in enumerate(bindings)
            )
        )


async def rested(world: World) -> None:
    """Let every pause after a failure be over, as time would."""
    for table in ("webhook_deliveries", "webhook_endpoints"):
        await world.database.execute(
            f"UPDATE {table} SET next_attempt_at = now() WHERE next_attempt_at > now()"  # noqa: S608
        )


async def deliver(world: World) -> None:
    async with asyncio.timeout(60):
        await world.services.deliveries.deliver_due()


async def states(world: World, receiver: Receiver) -> Counter[str]:
    rows = await world.database.fetch(
        "SELECT state FROM webhook_deliveries WHERE endpoint_id = $1", receiver.endpoint_id
    )
    return Counter(row["state"] for row in rows)


async def test_a_delivery_is_the_event_signed_and_acknowledged(
    world: World, reader: Service
) -> None:
    """R28: the body is what a poller reads; the library of Standard Webhooks verifies it."""
    async with receiving(world) as receiver:
        await (await world.acme_admin()).connects(ACME_TRADING)
        await deliver(world)

        (received,) = receiver.received
        (event,) = (await page(reader))["events"]
        assert receiver.verified(received) == event
        assert received.headers["webhook-id"] == event["id"]
        assert received.headers["content-type"] == "application/json"
        assert await states(world, receiver) == {"delivered": 1}
        await deliver(world)
        assert len(receiver.received) == 1


async def test_an_endpoint_receives_its_org_and_its_kinds_only(world: World) -> None:
    """S58: of all orgs, of one org, of some kinds."""
    async with (
        receiving(world) as everything,
        receiving(world, org_id=GLOBEX) as globex,
        receiving(world, org_id=ACME, kinds=("xero.*",)) as others,
    ):
        await write(world, uuid4())
        await write(world, uuid4(), org_id=GLOBEX)
        async with world.services.database.transaction() as tx:
            await tx.events.add(Event(EventKind.XERO_GAP, data={"from": 1, "to": 2}))
        await deliver(world)

        assert [each["orgId"] for each in everything.events()] == [ACME, GLOBEX, None]
        assert [each["orgId"] for each in globex.events()] == [GLOBEX]
        assert others.received == []


@pytest.mark.usefixtures("long_pauses")
@pytest.mark.parametrize("failure", [REFUSES, REDIRECT, RESET])
async def test_a_failed_delivery_is_repeated_with_the_same_id(world: World, failure: str) -> None:
    """R28: whatever the endpoint does instead of a 2xx; no redirect is followed."""
    async with receiving(world) as receiver:
        receiver.behaves = lambda _: failure
        await write(world, uuid4())
        await deliver(world)
        await deliver(world)
        assert len(receiver.received) == 1
        (delivery,) = await world.services.webhooks.deliveries(
            only_failed=True, endpoint_id=None, limit=10
        )
        assert delivery.attempts == 1
        assert delivery.next_attempt_at is not None
        assert (delivery.last_status, delivery.last_answer) == {
            REFUSES: (500, "no such table"),
            REDIRECT: (302, ""),
        }.get(failure, (None, delivery.last_answer))

        receiver.behaves = lambda _: "200 OK\n\nthanks"
        await rested(world)
        await deliver(world)

        first, second = receiver.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert {each.path for each in receiver.received} == {"/events"}
        assert await states(world, receiver) == {"delivered": 1}


@pytest.mark.usefixtures("long_pauses")
async def test_an_endpoint_that_hangs_is_given_up_and_delays_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R28: the other endpoint has all its events while this one keeps its requests."""
    monkeypatch.setattr(webhook_sender, "WEBHOOK_SECONDS", 3.0)
    async with receiving(world) as slow, receiving(world) as quick:
        slow.behaves = lambda _: HANG
        await write(world, *(uuid4() for _ in range(20)))
        await deliver(world)

        assert len(quick.events()) == 20
        assert len(slow.received) <= 8
        assert await states(world, slow) == {"pending": 20}
        slow.gate.set()
        await rested(world)
        await deliver(world)
        assert len({each["id"] for each in slow.events()}) == 20


async def test_events_of_a_binding_arrive_one_after_another(world: World) -> None:
    """R28: a later event waits while an earlier one fails; other bindings go on."""
    stuck, other = uuid4(), uuid4()
    async with receiving(world) as receiver:
        receiver.behaves = lambda received: (
            REFUSES if received.event["data"]["n"] == 0 else "204 No Content"
        )
        await write(world, stuck, stuck, stuck, other, other)
        for _ in range(3):
            await deliver(world)
            await rested(world)
        assert [each["bindingId"] for each in receiver.events()] == [str(other)] * 2

        receiver.behaves = lambda _: "204 No Content"
        await deliver(world)
        await rested(world)
        await deliver(world)
        ours = [each["data"]["n"] for each in receiver.events() if each["bindingId"] == str(stuck)]
        assert ours == [0, 1, 2]


@pytest.mark.usefixtures("long_pauses")
async def test_a_dead_endpoint_costs_one_attempt_per_step_whatever_has_piled_up(
    world: World,
) -> None:
    """R28: 300 events are due; each step of the schedule sends one. Nothing is lost for it."""
    async with receiving(world) as dead, receiving(world) as alive:
        dead.behaves = lambda _: REFUSES
        await write(world, *(uuid4() for _ in range(150)))
        await deliver(world)
        assert len(dead.received) <= 8, "those under way when it failed"
        at_first = len(dead.received)
        for step in range(1, 6):
            await rested(world)
            await write(world, *(uuid4() for _ in range(30)))
            await deliver(world)
            assert len(dead.received) == at_first + step
        assert len(alive.events()) == 300

        dead.behaves = lambda _: "204 No Content"
        await rested(world)
        await deliver(world)
        await rested(world)
        await deliver(world)
        assert {each["id"] for each in dead.events()} == {each["id"] for each in alive.events()}


async def test_at_most_eight_at_once_per_endpoint_over_two_replicas(
    world: World, replica: Application
) -> None:
    """R28: side by side across bindings; each event once though two replicas deliver."""
    async with receiving(world) as receiver:
        receiver.behaves = lambda _: HANG
        await write(world, *(uuid4() for _ in range(40)))
        for each in (world.services, replica.services):
            await each.deliveries.start_due()

        async def full() -> bool:
            return receiver.under_way == 8

        await until(full)
        for each in (world.services, replica.services):
            await each.deliveries.start_due()
        receiver.gate.set()
        async with asyncio.timeout(60):
            await asyncio.gather(
                *(each.deliveries.deliver_due() for each in (world.services, replica.services))
            )

        assert receiver.most_at_once == 8
        assert len(receiver.received) == len({each["id"] for each in receiver.events()}) == 40


async def test_410_disables_the_endpoint_and_enabling_it_loses_nothing(world: World) -> None:
    """R28: nothing more is sent; what collects meanwhile is delivered once it is enabled."""
    async with receiving(world, org_id=ACME) as receiver:
        receiver.behaves = lambda _: "410 Gone"
        await write(world, uuid4())
        await deliver(world)
        await write(world, uuid4())
        await rested(world)
        await deliver(world)
        assert len(receiver.received) == 1
        (audited,) = await world.audited("webhook.disabled")
        assert (audited["outcome"], audited["org_id"]) == ("gone", ACME)

        receiver.behaves = lambda _: "204 No Content"
        await world.services.webhooks.enable(SYSTEM, receiver.endpoint_id)
        await deliver(world)
        assert len(receiver.events()) == 2


async def test_both_secrets_verify_while_one_is_replaced(world: World) -> None:
    """R28: for 24 hours; then the new one alone."""
    async with receiving(world) as receiver:
        receiver.secrets.append(
            (await world.services.webhooks.rotate(SYSTEM, receiver.endpoint_id)).secret
        )
        await write(world, uuid4())
        await deliver(world)
        (received,) = receiver.received
        for secret in receiver.secrets:
            receiver.verified(received, secret)

        await world.database.execute(
            "UPDATE webhook_endpoints SET previous_secret_until = now() - interval '1 second'"
        )
        await write(world, uuid4())
        await deliver(world)
        receiver.verified(receiver.received[1])
        assert " " not in receiver.received[1].headers["webhook-signature"]


async def test_after_the_last_step_a_delivery_is_parked_and_can_be_sent_again(
    world: World,
) -> None:
    """R28: ten attempts, then nothing, until an operator asks for it."""
    async with receiving(world) as receiver:
        receiver.behaves = lambda _: REFUSES
        await write(world, uuid4())
        for _ in range(len(RETRY_AFTER) + 5):
            await deliver(world)
            await rested(world)
        assert len(receiver.received) == len(RETRY_AFTER) + 1
        assert await states(world, receiver) == {"parked": 1}

        receiver.behaves = lambda _: "204 No Content"
        event_id = UUID(receiver.received[0].event["id"].removeprefix("evt_"))
        due = await world.services.webhooks.redeliver(
            SYSTEM, event_id=event_id, since=None, endpoint_id=None
        )
        await rested(world)
        await deliver(world)
        assert due == 1
        assert [each["id"] for each in receiver.events()] == [receiver.received[0].event["id"]]


async def test_the_pauses_are_those_of_the_schedule(world: World) -> None:
    """R28: of the endpoint, by the database's clock, give or take a tenth."""
    async with receiving(world) as receiver:
        receiver.behaves = lambda _: REFUSES
        await write(world, uuid4())
        pauses = []
        for _ in RETRY_AFTER:
            await deliver(world)
            pauses.append(
                await world.database.fetchval(
                    "SELECT greatest(w.next_attempt_at, d.next_attempt_at) - d.last_attempt_at"
                    " FROM webhook_endpoints w JOIN webhook_deliveries d ON d.endpoint_id = w.id"
                )
            )
            await rested(world)

    for pause, planned in zip(pauses, RETRY_AFTER, strict=True):
        assert planned * 0.9 <= pause <= planned * 1.1 + planned.resolution * 30_000_000


async def test_a_claim_of_a_dead_process_expires(world: World) -> None:
    """R28: the attempt of the dead is never recorded; the event is sent again with its id."""
    async with receiving(world) as receiver:
        await write(world, uuid4())
        async with world.services.database.transaction() as tx:
            (dead,) = await tx.deliveries.claim(at_once=8, ttl=RETRY_AFTER[0])
        await deliver(world)
        assert receiver.received == []

        await world.database.execute("UPDATE webhook_deliveries SET claimed_until = now()")
        await deliver(world)
        async with world.services.database.transaction() as tx:
            late = await tx.deliveries.record_failed(dead, retry_in=None, status=500, answer="")
        assert not late
        assert len(receiver.events()) == 1
        assert await states(world, receiver) == {"delivered": 1}


@pytest.mark.parametrize("lanes", [1, 20])
async def test_a_claim_reads_the_first_of_each_lane_whatever_has_piled_up(
    world: World, lanes: int
) -> None:
    """R28: with more behind them than a statement could read in its time, nothing would be sent."""
    async with receiving(world) as receiver:
        await world.database.execute(
            "INSERT INTO events (id, occurred_at, kind, binding_id)"
            " SELECT gen_random_uuid(), now(), 'binding.renamed', md5((n % $1)::text)::uuid"
            " FROM generate_series(1, 20000) n",
            lanes,
        )
        await world.database.execute(
            "INSERT INTO webhook_deliveries (endpoint_id, event_position, lane, state)"
            " SELECT $1, position, binding_id,"
            " CASE WHEN position <= 10000 THEN 'delivered' ELSE 'pending' END FROM events",
            receiver.endpoint_id,
        )
        await world.database.execute("ANALYZE")

        async with world.services.database.transaction() as tx:
            claimed = await tx.deliveries.claim(at_once=8, ttl=RETRY_AFTER[0])
            await tx.deliveries.oldest_pending_seconds()
            read = await tx.connection.scalar(
                text(
                    "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
                    " WHERE relname = 'webhook_deliveries'"
                )
            )
        assert len(claimed) == min(lanes, 8)
        assert read < 500


async def test_metrics_count_deliveries_and_the_oldest_that_is_due(world: World) -> None:
    """E5: every outcome is there from the start, at 0."""

    async def scraped() -> tuple[dict[str, float], float]:
        async with world.application.http() as http:
            world.services.state_metrics.next_at = 0
            found = parsed((await http.get("/metrics")).text)
        counted = series(found, "xero_service_webhook_deliveries_total")
        outcomes = {dict(labels)["outcome"]: value for labels, value in counted.items()}
        (oldest,) = series(found, "xero_service_webhook_oldest_undelivered_seconds").values()
        return outcomes, oldest

    assert await scraped() == ({"delivered": 0, "failed": 0, "parked": 0}, 0)
    async with receiving(world) as dead, receiving(world):
        dead.behaves = lambda _: REFUSES
        await write(world, uuid4())
        await world.database.execute(
            "UPDATE events SET recorded_at = recorded_at - interval '1 hour'"
        )
        await deliver(world)

    outcomes, oldest = await scraped()
    assert outcomes == {"delivered": 1, "failed": 1, "parked": 0}
    assert 3600 <= oldest < 7200
