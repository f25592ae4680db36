"""The sandbox sends webhooks as Xero does, and this service is the receiver that it validates."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from demo.environment import SCOPES_FOR_THE_EXAMPLES
from tests.service_api.callers import served, service
from tests.world import World
from tests.xero_webhooks.conftest import Bound
from tests.xero_webhooks.signed import PATH, gaps, key_of, resources, stored
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_TRADING, TEN_ORGS
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT

QUARTER_HOUR, DAY = 15 * 60, 24 * 60 * 60


class Receiver:
    """The service behind a network that may lose its answers."""

    def __init__(self, world: World) -> None:
        self.app, self.loses_answers, self.received = world.application.app, False, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.received += 1

        async def send_or_lose(message: Message) -> None:
            if self.loses_answers and message["type"] == "http.response.start":
                message = {**message, "status": 502}
            await send(message)

        await self.app(scope, receive, send_or_lose)


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """With scopes to write."""
    return environment | {"XERO_SCOPES": SCOPES_FOR_THE_EXAMPLES}


@pytest.fixture
async def receiver(world: World, bound: Bound) -> AsyncIterator[Receiver]:
    """The receiver that Xero sends to; Xero's clock stands still."""
    running = Receiver(world)
    async with served(running) as url:
        world.sandbox.freeze()
        world.sandbox.webhooks.subscribe(url + PATH, key_of(world.application.settings))
        validated = await asyncio.to_thread(world.sandbox.webhooks.validate_intent)
        assert (validated["status"], validated["problem"]) == ("active", None)
        yield running
        await asyncio.to_thread(world.sandbox.reset)


async def emits(sandbox: SandboxClient, *tenants: str) -> None:
    sandbox.webhooks.emit(*({"tenantId": tenant} for tenant in tenants))
    await asyncio.to_thread(sandbox.webhooks.settle)


async def test_intent_to_receive_is_answered_right(world: World, receiver: Receiver) -> None:
    """S59: each of Xero's requests, within its limits; nothing is stored."""
    signed = [each["correctlySigned"] for each in world.sandbox.webhooks.deliveries()]

    assert receiver.received == len(signed) >= 4
    assert {True, False} == set(signed)
    assert await stored(world.database) == []


async def test_a_record_written_through_the_proxy_comes_back_as_an_event(
    world: World, receiver: Receiver, bound: Bound
) -> None:
    caller = await service(world.application)
    binding_id = bound.trading["id"]
    async with caller.http:
        written = await caller.calls(
            binding_id, "api.xro/2.0/Contacts", "POST", json={"Contacts": [{"Name": "New"}]}
        )
    await asyncio.to_thread(world.sandbox.webhooks.settle)

    (event,) = await stored(world.database)
    assert event["kind"] == "xero.contact.create"
    assert str(event["binding_id"]) == binding_id
    assert await resources(world.database) == [written.json()["Contacts"][0]["ContactID"]]


async def test_a_webhook_repeated_for_a_day_because_answers_are_lost_is_stored_once(
    world: World, receiver: Receiver
) -> None:
    """R34: what happens meanwhile follows, once and in order."""
    receiver.loses_answers = True
    await emits(world.sandbox, ACME_TRADING, GLOBEX_TENANT)
    for _ in range(DAY // QUARTER_HOUR - 1):
        world.sandbox.advance(QUARTER_HOUR)
        await asyncio.to_thread(world.sandbox.webhooks.settle)
    repeated = receiver.received
    receiver.loses_answers = False
    await emits(world.sandbox, ACME_TRADING)
    world.sandbox.advance(QUARTER_HOUR)
    settled = await asyncio.to_thread(world.sandbox.webhooks.settle)

    assert repeated > 90
    assert (settled["status"], settled["waitingEvents"]) == ("active", 0)
    assert len(await stored(world.database)) == 3
    assert await gaps(world.database) == []


async def test_a_sandbox_that_sends_each_webhook_twice_makes_no_second_event(
    world: World, receiver: Receiver
) -> None:
    """R34."""
    world.sandbox.switch(webhookRepeat=True)

    await emits(world.sandbox, ACME_TRADING, TEN_ORGS[0])

    assert len(await stored(world.database)) == 1


async def test_a_sequence_that_xero_skips_is_named(world: World, receiver: Receiver) -> None:
    """R34."""
    await emits(world.sandbox, ACME_TRADING)
    world.sandbox.switch(webhookSkip=True)
    await emits(world.sandbox, ACME_TRADING)

    assert await gaps(world.database) == [(2, 2)]
    assert len(await resources(world.database)) == 2


async def test_webhooks_that_overtake_each_other_are_all_stored(
    world: World, receiver: Receiver
) -> None:
    """R34: an earlier one fails, later ones arrive, and it is repeated."""
    world.sandbox.switch(webhookRetries="independent")
    await emits(world.sandbox, ACME_TRADING)
    app, receiver.app = receiver.app, refusing  # type: ignore[assignment]
    await emits(world.sandbox, ACME_TRADING)
    receiver.app = app
    await emits(world.sandbox, ACME_TRADING, ACME_TRADING)
    world.sandbox.advance(QUARTER_HOUR)
    await asyncio.to_thread(world.sandbox.webhooks.settle)

    assert await gaps(world.database) == [(2, 2)]
    assert len(await resources(world.database)) == 4


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 503, "headers": []})
    await send({"type": "http.response.body", "body": b""})
