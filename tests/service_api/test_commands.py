"""What operators' commands make of names that others chose, and of options that say nothing."""

import asyncio
import getpass

import pytest
from typer.testing import CliRunner

from tests.service_api.callers import service
from tests.world import ACME, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.cli import app as commands

# Markup, markup that ends nothing, an emoji's name, an order to the terminal, a line turned round.
ODD = "[red]Acme[/blue] :bomb: \x1b[2J \u202egnp \\"
SPELT_OUT = "[red]Acme[/blue] :bomb: \\x1b[2J \\u202egnp \\"


async def run(*arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(CliRunner().invoke, commands, arguments)
    return done.exit_code, done.stdout


async def test_names_are_printed_as_they_are_and_order_nothing(world: World) -> None:
    """S48: whoever names an organisation or a key is not who reads the list."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET external_tenant_name = $1", ODD
    )
    await world.database.execute("UPDATE integration_grants SET last_error = $1", ODD)
    made = await run("keys", "create", "--name", ODD, "--org", ACME, "--scope", "tokens:read")

    printed = [
        made,
        await run("bindings", "list"),
        await run("bindings", "suspend", binding["id"]),
        await run("bindings", "resume", binding["id"]),
        await run("grants", "list"),
        await run("keys", "list"),
        await run("audit"),
    ]

    assert [code for code, _ in printed] == [0] * 7
    text = "".join(said for _, said in printed)
    assert text.count(SPELT_OUT) == 5
    assert text.replace("\n", "").isprintable()


async def test_operators_see_what_is_suspended_and_resume_it_whoever_has_it_b3(
    world: World,
) -> None:
    """B3: by the id that it was suspended by, and by Xero's own."""
    acme, globex = await world.acme_admin(), await world.globex_admin()
    binding = await acme.connects(ACME_TRADING)
    assert (await run("bindings", "suspend", binding["id"]))[0] == 0
    await acme.disconnects(binding["id"])
    code, listed = await run("bindings", "list")
    assert (code, binding["id"] in listed, "suspended, disconnected" in listed) == (0, True, True)
    theirs = await globex.connects(ACME_TRADING)
    listed = (await run("bindings", "list"))[1]
    assert (binding["id"] in listed, theirs["id"] in listed) == (False, True)

    code, said = await run("bindings", "resume", binding["id"])
    assert (code, "resumed for org_globex" in said) == (0, True)
    assert (await globex.bindings())[ACME_TRADING]["status"] == "active"
    assert (await run("bindings", "resume", binding["id"]))[0] != 0

    assert (await run("bindings", "suspend", theirs["id"]))[0] == 0
    await globex.disconnects(theirs["id"])
    code, said = await run("bindings", "resume", ACME_TRADING)
    assert (code, "no org has it connected" in said) == (0, True)
    assert theirs["id"] not in (await run("bindings", "list"))[1]


@pytest.mark.parametrize(
    "whose", [("--org", ""), ("--org", "  "), ("--org", "", "--all-orgs")], ids=str
)
async def test_a_key_for_an_org_without_a_name_is_not_made(
    settings: object, whose: tuple[str, ...]
) -> None:
    """S14: a variable that a script left empty is not an org."""
    code, printed = await run("keys", "create", "--name", "x", "--scope", "tokens:read", *whose)

    assert code != 0
    assert "xsk_" not in printed


async def test_an_org_sees_that_an_operator_acted_and_operators_see_which(world: World) -> None:
    """B11: to customers the operator's user name is nobody's business."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await run("bindings", "suspend", binding["id"])
    reader = await service(world.application)

    shown = [
        (await admin.get("/activity")).json()["events"],
        (await reader.request("GET", "/activity")).json()["events"],
    ]
    _, printed = await run("audit", "--json")

    for events in shown:
        by_operator = [each for each in events if each["action"] == "binding.suspended"]
        assert [each["actorId"] for each in by_operator] == ["an operator"]
        assert "operator:" not in str(events)
    assert f'"actorId": "operator:{getpass.getuser()}"' in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "--limit", "99999999999999999999"),
        ("keys", "create", "--name", "caf\udce9", "--org", ACME, "--scope", "tokens:read"),
    ],
)
async def test_what_the_database_cannot_take_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    """A number beyond 64 bits, and bytes of a terminal that is not in UTF-8."""
    assert await run(*arguments) == (2, "")
