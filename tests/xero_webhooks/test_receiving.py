"""Xero's webhooks become events of the orgs that have bound their tenants, each once."""

import json

import pytest

from tests.world import World
from tests.xero_webhooks.conftest import Bound, FromXero
from tests.xero_webhooks.signed import batch, gaps, resources, stored, xero_event
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, TEN_ORGS
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT

UNBOUND = TEN_ORGS[0]


def record(event: dict[str, object]) -> object:
    return event["resourceId"]


async def test_an_event_names_its_binding_and_carries_xeros_own_event(
    world: World, xero: FromXero, bound: Bound
) -> None:
    sent = xero_event(ACME_TRADING, eventCategory="CREDITNOTE", data={"Type": "ACCRECCREDIT"})

    await xero.sends(1, sent)

    (row,) = await stored(world.database)
    assert row["kind"] == "xero.creditnote.update"
    assert (row["org_id"], str(row["binding_id"])) == ("org_acme", bound.trading["id"])
    assert row["tenant_id"] == ACME_TRADING
    assert json.loads(row["content"]) == sent
    assert row["occurred_at"].isoformat() == "2026-11-28T09:12:30.902000+00:00"


async def test_a_batch_is_split_so_that_an_org_sees_only_its_own_bindings(
    world: World, xero: FromXero, bound: Bound
) -> None:
    """S11: three tenants of two orgs in one webhook."""
    sent = [xero_event(each) for each in (ACME_TRADING, GLOBEX_TENANT, ACME_SERVICES)]

    await xero.sends(1, *sent)

    rows = await stored(world.database)
    assert [(row["org_id"], str(row["binding_id"])) for row in rows] == [
        ("org_acme", bound.trading["id"]),
        ("org_globex", bound.globex["id"]),
        ("org_acme", bound.services["id"]),
    ]
    assert await resources(world.database) == [record(each) for each in sent]


async def test_events_of_tenants_that_nobody_bound_are_counted_and_dropped(
    world: World, xero: FromXero, bound: Bound
) -> None:
    admin = await world.acme_admin()
    await admin.disconnects(bound.services["id"])

    answer = await xero.sends(
        1, *map(xero_event, (UNBOUND, ACME_TRADING, ACME_SERVICES, "", "no tenant's id"))
    )

    assert answer.status_code == 200
    assert len(await stored(world.database)) == 1
    assert outcomes(world) == {"stored": 1, "repeated": 0, "unbound": 4}


async def test_events_of_suspended_and_ailing_bindings_are_stored(
    world: World, xero: FromXero, bound: Bound
) -> None:
    """A reader that was told nothing meanwhile could not know what it missed."""
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET status = 'needs_reauth'"
        " WHERE external_tenant_id = $1",
        ACME_SERVICES,
    )
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET status = 'suspended' WHERE external_tenant_id = $1",
        ACME_TRADING,
    )

    await xero.sends(1, xero_event(ACME_TRADING), xero_event(ACME_SERVICES))

    assert len(await stored(world.database)) == 2


@pytest.mark.parametrize(
    ("category", "event_type", "kind"),
    [
        ("CONTACT", "CREATE", "xero.contact.create"),
        ("SomethingNew", "ARCHIVE", "xero.somethingnew.archive"),
        ("BANK TRANSACTION", "a.b", "xero.bank-transaction.a-b"),
        (None, "", "xero.unknown.unknown"),
        (7, {"odd": True}, "xero.7.-odd-true-"),
    ],
)
async def test_categories_types_and_fields_that_are_not_known_pass(
    world: World, xero: FromXero, bound: Bound, category: object, event_type: object, kind: str
) -> None:
    sent = xero_event(
        ACME_TRADING, eventCategory=category, eventType=event_type, added={"later": [1, None]}
    )

    await xero.sends(1, sent)

    (row,) = await stored(world.database)
    assert row["kind"] == kind
    assert json.loads(row["content"]) == sent


@pytest.mark.parametrize(
    "time", [None, "", "soon", 5, "2026-11-28T09:12:30.9021234", "2026-11-28T22:12:30+13:00"]
)
async def test_a_time_that_cannot_be_read_keeps_no_event_back(
    world: World, xero: FromXero, bound: Bound, time: object
) -> None:
    answer = await xero.sends(1, xero_event(ACME_TRADING, eventDateUtc=time))

    assert answer.status_code == 200
    assert len(await stored(world.database)) == 1


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udfff\x00", "🧾"])
async def test_text_that_the_database_cannot_hold_keeps_no_event_back(
    world: World, xero: FromXero, bound: Bound, text: str
) -> None:
    answer = await xero.sends(1, xero_event(ACME_TRADING, note={text: [text]}))

    assert answer.status_code == 200
    assert len(await stored(world.database)) == 1


async def test_a_repeated_webhook_adds_nothing(world: World, xero: FromXero, bound: Bound) -> None:
    """R34: as it is, reformatted, and with more events after the same ones."""
    first, second = xero_event(ACME_TRADING), xero_event(GLOBEX_TENANT)
    body = batch(1, first)
    await xero.sends_body(body)

    await xero.sends_body(body)
    await xero.sends_body(json.dumps(json.loads(body), sort_keys=True, indent=2).encode())
    await xero.sends(1, first, second)

    assert await resources(world.database) == [record(first), record(second)]
    assert outcomes(world) == {"stored": 2, "repeated": 3, "unbound": 0}


async def test_two_changes_that_look_alike_are_two_events(
    world: World, xero: FromXero, bound: Bound
) -> None:
    """R34: of one record, within one millisecond."""
    change = xero_event(ACME_TRADING)

    await xero.sends(1, change, change)
    await xero.sends(3, change)

    assert len(await stored(world.database)) == 3


async def test_a_webhook_without_usable_numbers_is_stored_once(
    world: World, xero: FromXero, bound: Bound
) -> None:
    """R34."""
    event = xero_event(ACME_TRADING)
    bodies = [
        json.dumps({"events": [event], **numbers}).encode()
        for numbers in (
            {},
            {"firstEventSequence": "1", "lastEventSequence": 1},
            {"firstEventSequence": -1, "lastEventSequence": 10**30},
            {"firstEventSequence": 9, "lastEventSequence": 1},
            {"firstEventSequence": True, "lastEventSequence": True},
        )
    ]

    answers = [await xero.sends_body(body) for body in bodies]

    assert {each.status_code for each in answers} == {200}
    assert len(await stored(world.database)) == 1
    assert await gaps(world.database) == []


def outcomes(world: World) -> dict[str, int]:
    counted = world.services.metrics.xero_events
    return {
        sample.labels["outcome"]: int(sample.value)
        for metric in counted.collect()
        for sample in metric.samples
    }
