"""R34: gaps in Xero's sequence numbers are named once, and what arrives late is not lost."""

import asyncio
import json
import random

import pytest

from tests.world import Application, World
from tests.xero_webhooks import signed
from tests.xero_webhooks.conftest import Bound, FromXero
from tests.xero_webhooks.signed import batch, gaps, resources, stored, xero_event
from xero_sandbox.samples import ACME_TRADING, TEN_ORGS
from xero_service.settings import Settings


def events(count: int) -> list[dict[str, object]]:
    return [xero_event(ACME_TRADING) for _ in range(count)]


async def test_a_gap_is_one_event_for_operators_and_a_metric(
    world: World, xero: FromXero, bound: Bound
) -> None:
    await xero.sends(1, *events(2))

    await xero.sends(6, *events(1))

    (gap,) = await stored(world.database, "xero.gap")
    assert json.loads(gap["content"]) == {"from": 3, "to": 5}
    assert (gap["org_id"], gap["binding_id"], gap["tenant_id"]) == (None, None, None)
    metric = b"xero_service_xero_webhook_gaps_total 1.0"
    assert metric in world.services.metrics.render()
    assert len(await resources(world.database)) == 3


async def test_the_first_webhook_and_those_without_a_gap_name_none(
    world: World, xero: FromXero, bound: Bound
) -> None:
    """The first one may have any number: Xero's app may be older than this service."""
    for first, count in ((41, 2), (43, 1), (44, 3), (47, 1)):
        await xero.sends(first, *events(count))

    assert await gaps(world.database) == []


async def test_an_intent_to_receive_does_not_count(
    world: World, xero: FromXero, bound: Bound
) -> None:
    await xero.sends(1, *events(1))
    for number in (0, 1, 99):
        await xero.sends(number)

    await xero.sends(2, *events(1))

    assert await gaps(world.database) == []


async def test_what_fills_a_gap_later_is_stored_and_names_no_further_gap(
    world: World, xero: FromXero, bound: Bound
) -> None:
    one, two, three, four = events(4)
    for number, event in ((1, one), (4, four), (3, three), (2, two)):
        await xero.sends(number, event)
    for number, event in ((4, four), (2, two), (3, three)):
        await xero.sends(number, event)

    assert await gaps(world.database) == [(2, 3)]
    assert len(await resources(world.database)) == 4


async def test_events_of_unbound_tenants_leave_no_gap(
    world: World, xero: FromXero, bound: Bound
) -> None:
    await xero.sends(1, *events(1))
    await xero.sends(2, xero_event(TEN_ORGS[0]))
    await xero.sends(3, *events(1))

    assert await gaps(world.database) == []


async def test_numbers_that_begin_again_are_followed(
    world: World, xero: FromXero, bound: Bound
) -> None:
    """As after a new subscription at Xero; within a day it could be a late retry."""
    await xero.sends(500, *events(1))
    await world.database.execute(
        "UPDATE xero_webhook_sequence SET advanced_at = now() - interval '25 hours'"
    )

    await xero.sends(1, *events(1))
    await xero.sends(2, *events(1))
    await xero.sends(5, *events(1))

    assert await gaps(world.database) == [(3, 4)]
    assert len(await resources(world.database)) == 4


async def test_a_late_repetition_is_no_new_beginning(
    world: World, xero: FromXero, bound: Bound
) -> None:
    body = batch(1, *events(1))
    await xero.sends_body(body)
    await xero.sends(2, *events(1))
    await world.database.execute(
        "UPDATE xero_webhook_sequence SET advanced_at = now() - interval '25 hours'"
    )

    await xero.sends_body(body)
    await xero.sends(3, *events(1))

    assert await gaps(world.database) == []


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.soak)])
async def test_two_replicas_that_get_the_same_batches_store_each_event_once(
    world: World, xero: FromXero, bound: Bound, settings: Settings, rounds: int
) -> None:
    """R34: Xero repeats while the first delivery is still under way, in any order."""
    sent: list[object] = []
    number = 1
    async with Application.running(settings) as other, other.http() as http:
        for _ in range(rounds):
            fresh = [events(4), events(3), events(1)]
            bodies = []
            for each in fresh:
                bodies.append(batch(number, *each))
                number += len(each)
            deliveries = [
                signed.send(client, body, xero.key)
                for body in bodies
                for client in (xero.http, http)
            ] + [xero.sends_body(body) for body in bodies]
            random.shuffle(deliveries)

            answers = await asyncio.gather(*deliveries)

            assert {each.status_code for each in answers} == {200}
            sent += [event["resourceId"] for each in fresh for event in each]
            assert sorted(await resources(world.database)) == sorted(map(str, sent))
    named = await gaps(world.database)
    assert len(set(named)) == len(named)
