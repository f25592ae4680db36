"""`xero-service webhooks`: what an operator types, and what is shown once."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from tests.events.receiver import receiving
from tests.events.test_delivery import REFUSES, deliver, rested, write
from tests.world import ACME, GLOBEX, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.cli import app as commands


async def run(*arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(CliRunner().invoke, commands, ("webhooks", *arguments))
    return done.exit_code, done.stdout


async def records(*arguments: str) -> list[dict[str, Any]]:
    code, said = await run(*arguments, "--json")
    assert code == 0
    return [json.loads(line) for line in said.splitlines()]


async def test_an_endpoint_from_its_making_to_its_end(world: World) -> None:
    """R28, S49: each command does what it says, and each change is audited."""
    async with receiving(world) as receiver:
        code, secret = await run(
            *("create", "--url", receiver.url, "--org", ACME, "--kind", "binding.*")
        )
        assert code == 0
        assert secret.startswith("whsec_")
        (_, made) = await records("list")
        assert (made["url"], made["orgId"], made["kinds"], made["state"]) == (
            receiver.url,
            ACME,
            ["binding.*"],
            "enabled",
        )
        assert secret.strip() not in json.dumps(await records("list"))

        receiver.secrets.append(secret.strip())
        assert await run("test", made["id"]) == (0, "204\n")
        receiver.behaves = lambda _: REFUSES
        assert await run("test", made["id"]) == (1, "500 no such table\n")
        code, rotated = await run("rotate", made["id"])
        assert (code, rotated.startswith("whsec_"), rotated != secret) == (0, True, True)
        for command, state in (("disable", "disabled: an operator"), ("enable", "enabled")):
            assert (await run(command, made["id"]))[0] == 0
            assert (await records("list"))[1]["state"] == state

    audited = [
        row["action"]
        for row in await world.database.fetch(
            "SELECT action FROM audit_events WHERE action LIKE 'webhook.%' AND org_id = $1"
            " ORDER BY id",
            ACME,
        )
    ]
    named = ["created", "tested", "tested", "rotated", "disabled", "enabled"]
    assert audited == [f"webhook.{each}" for each in named]


async def test_failed_deliveries_are_listed_and_sent_again(world: World) -> None:
    """R28: one event by its id, and all since a time, also those that were delivered."""
    async with receiving(world) as receiver:
        receiver.behaves = lambda _: REFUSES
        await write(world, uuid4())
        await deliver(world)
        (failed,) = await records("deliveries", "--failed")
        assert (failed["state"], failed["attempts"], failed["lastStatus"]) == ("pending", 1, 500)
        assert failed["eventId"] in (await run("deliveries"))[1]

        receiver.behaves = lambda _: "204 No Content"
        for arguments in (("redeliver", failed["eventId"]), ("redeliver", "--since", "1d")):
            assert await run(*arguments) == (0, "1 delivery is due.\n")
            await rested(world)
            await deliver(world)
        assert [each["id"] for each in receiver.events()] == [failed["eventId"]] * 2
        assert await records("deliveries", "--failed") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--url", "http://billing.internal/events"),
        ("create", "--url", "ftp://billing.internal/events", "--all-orgs"),
        ("create", "--url", "http://user:secret@billing.internal/events", "--all-orgs"),
        ("create", "--url", "http://billing.internal/a b", "--all-orgs"),
        ("create", "--url", "http://billing.internal", "--all-orgs", "--kind", "binding.gone"),
        ("redeliver",),
        ("redeliver", "evt_nonsense"),
        ("redeliver", "evt_5d0c7a3e9b1f4c62a8e4d7f10b396c25"),
        ("rotate", "5d0c7a3e-9b1f-4c62-a8e4-d7f10b396c25"),
        ("test", "5d0c7a3e-9b1f-4c62-a8e4-d7f10b396c25"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    world: World, arguments: tuple[str, ...]
) -> None:
    """C18: nothing is stored."""
    code, _ = await run(*arguments)

    assert code != 0
    assert await world.database.fetchval("SELECT count(*) FROM webhook_endpoints") == 0


async def test_offboarding_disables_the_endpoints_of_the_org(world: World) -> None:
    """E6: each on record; endpoints of others and of all orgs stay; repeating it is harmless."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    async with (
        receiving(world, org_id=ACME) as ours,
        receiving(world, org_id=ACME) as disabled,
        receiving(world, org_id=GLOBEX) as theirs,
        receiving(world) as everything,
    ):
        await run("disable", str(disabled.endpoint_id))
        offboard = ("orgs", "offboard", ACME, "--yes")
        first, again = [
            await asyncio.to_thread(CliRunner().invoke, commands, offboard) for _ in range(2)
        ]
        await deliver(world)

        assert f"Disabled 1 webhook endpoint of {ACME}.\n" in first.stdout
        assert f"Disabled 0 webhook endpoints of {ACME}.\n" in again.stdout
        assert {each["id"]: each["state"] for each in await records("list")} == {
            str(ours.endpoint_id): "disabled: its org was offboarded",
            str(disabled.endpoint_id): "disabled: an operator",
            str(theirs.endpoint_id): "enabled",
            str(everything.endpoint_id): "enabled",
        }
        assert [len(each.received) for each in (ours, disabled, theirs)] == [0, 0, 0]
        (ended,) = everything.events()
        assert (ended["kind"], ended["bindingId"]) == ("binding.disconnected", binding["id"])
    _, audited = await world.audited("webhook.disabled")
    assert (audited["org_id"], audited["actor_id"].startswith("operator:")) == (ACME, True)
