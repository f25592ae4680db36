"""C18: what commands print for programs, and for people where there is nothing yet."""

import asyncio
import json
from datetime import datetime
from importlib import metadata
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from tests.world import ACME, GLOBEX, World
from xero_sandbox.samples import ACME_TRADING, GLOBEX_BOOKKEEPER
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT
from xero_service.cli import app as commands
from xero_service.cli import exit_code
from xero_service.errors import IntegrationError


async def run(*arguments: str, answer: str | None = None) -> tuple[int, str, str]:
    done = await asyncio.to_thread(CliRunner().invoke, commands, arguments, input=answer)
    return done.exit_code, done.stdout, done.stderr


async def listed(*arguments: str) -> list[dict[str, Any]]:
    code, printed, said = await run(*arguments, "--json")
    assert (code, said) == (0, "")
    return [json.loads(line) for line in printed.splitlines()]


LISTINGS = [("keys", "list"), ("bindings", "list"), ("grants", "list"), ("audit",)]
ODD = "[red]Acme \x1b[2J \u202egnp \\"


async def test_every_listing_speaks_json_in_the_apis_words(world: World) -> None:
    """C18."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await run("keys", "create", "--name", "billing", "--org", ACME, "--scope", "tokens:read")

    (key,) = await listed("keys", "list")
    assert (key["name"], key["orgId"], key["scopes"], key["state"]) == (
        *("billing", ACME, ["tokens:read"]),
        "valid",
    )
    assert (key["expiresAt"], key["revokedAt"], key["lastUsedAt"]) == (None, None, None)
    assert "secret" not in str(key).lower()
    (found,) = await listed("bindings", "list")
    shared = set(binding) & set(found)
    assert {"id", "tenantId", "tenantName", "tenantType", "status", "grantId"} <= shared
    assert {name: found[name] for name in ("id", "tenantId", "status", "grantId")} == {
        name: binding[name] for name in ("id", "tenantId", "status", "grantId")
    }
    assert datetime.fromisoformat(found["createdAt"]).tzinfo is not None
    (grant,) = await listed("grants", "list")
    assert (grant["id"], grant["orgId"], grant["generation"]) == (binding["grantId"], ACME, 1)
    assert not [name for name in grant if "enc" in name.lower()]
    events = await listed("audit")
    assert events[-1]["action"] == "key.created"
    assert {"occurredAt", "orgId", "actorKind", "bindingId", "requestId"} <= set(events[-1])


async def test_json_carries_odd_names_as_ascii(world: World) -> None:
    """C18, S48."""
    await (await world.acme_admin()).connects(ACME_TRADING)
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET external_tenant_name = $1", ODD
    )

    code, printed, _ = await run("bindings", "list", "--json")

    assert code == 0
    assert printed.replace("\n", "").isprintable()
    assert printed.isascii()
    assert json.loads(printed)["tenantName"] == ODD


@pytest.mark.parametrize("command", LISTINGS, ids=" ".join)
async def test_an_empty_listing_says_what_to_do_next(
    world: World, command: tuple[str, ...]
) -> None:
    """C18: to the person; a program gets nothing at all."""
    code, printed, said = await run(*command)

    assert (code, printed) == (0, "")
    assert said.strip()
    assert await listed(*command) == []


async def test_a_listing_of_one_org_shows_no_other(world: World) -> None:
    await (await world.acme_admin()).connects(ACME_TRADING)

    assert await listed("bindings", "list", "--org", GLOBEX) == []
    assert len(await listed("bindings", "list", "--org", ACME)) == 1


async def test_operators_count_who_has_still_to_consent_again(world: World) -> None:
    """Scope drift: n of m, who is left, and each binding's scopes for programs."""
    left = await (await world.acme_admin()).connects(ACME_TRADING)
    await (await world.globex_admin()).connects(
        GLOBEX_TENANT, xero_user=GLOBEX_BOOKKEEPER.xero_user_id
    )
    removed = world.application.settings.xero_scopes[-1]
    await world.database.execute(
        "UPDATE integration_grants SET scopes = array_remove(scopes, $2) WHERE id = $1",
        *(left["grantId"], removed),
    )

    code, printed, _ = await run("scopes", "status")

    assert code == 0
    assert "1 of 2 bindings have every permission." in printed
    assert left["id"] in printed
    assert removed in printed
    missing = {each["id"]: each["missing"] for each in await listed("scopes", "status")}
    assert missing.pop(left["id"]) == [removed]
    assert list(missing.values()) == [[]]
    assert [each["orgId"] for each in await listed("scopes", "status", "--org", ACME)] == [ACME]


async def test_the_version_is_printed(settings: object) -> None:
    """C18."""
    code, printed, _ = await run("--version")

    assert (code, printed) == (0, f"xero-service {metadata.version('xero-service')}\n")


MAKING = ("keys", "create", "--name", "x", "--org", ACME, "--scope", "api:call")


@pytest.mark.parametrize(
    ("option", "arguments"),
    [
        ("--name", ("keys", "create", "--name", "", "--org", ACME, "--scope", "tokens:read")),
        ("--name", ("keys", "create", "--name", " \t ", "--org", ACME, "--scope", "tokens:read")),
        ("--name", ("keys", "create", "--name", "\u200b", "--org", ACME, "--scope", "api:call")),
        ("--org", ("keys", "create", "--name", "x", "--org", " ", "--scope", "tokens:read")),
        ("--org", ("keys", "create", "--name", "x", "--org", "a\nb", "--scope", "tokens:read")),
        ("--org", ("keys", "create", "--name", "x", "--org", "o" * 300, "--scope", "api:call")),
        ("--all-orgs", ("keys", "create", "--name", "x", "--scope", "tokens:read")),
        (
            "--all-orgs",
            ("keys", "create", "--name", "x", "--all-orgs", "--org", ACME, "--scope", "api:call"),
        ),
        *(
            ("--expires", (*MAKING, "--expires", when))
            for when in ("yesterday", "", "2020-01-01", "0d", "99999999d", "2026-13-01")
        ),
        ("--since", ("audit", "--since", "last week")),
        ("--since", ("audit", "--since", "")),
        ("--since", ("audit", "--since", "2999-01-01")),
        ("--org", ("audit", "--org", "")),
        ("--org", ("bindings", "list", "--org", "")),
        ("--org", ("grants", "list", "--org", " ")),
        ("ORG_ID", ("orgs", "offboard", "", "--yes")),
        ("ORG_ID", ("orgs", "offboard", "a\x07b", "--yes")),
        ("No such scope", ("keys", "create", "--name", "x", "--org", ACME, "--scope", "all")),
    ],
)
async def test_wrong_usage_names_the_option_and_exits_with_2(
    settings: object, option: str, arguments: tuple[str, ...]
) -> None:
    """C18."""
    code, printed, said = await run_as_a_program(*arguments)

    assert (code, printed) == (2, "")
    assert option in said


async def run_as_a_program(*arguments: str) -> tuple[int, str, str]:
    """With the exit code that the program's entry point makes of an error."""

    def program() -> tuple[int, str, str]:
        runner = CliRunner()
        done = runner.invoke(commands, arguments)
        error = done.exception
        if isinstance(error, IntegrationError):
            return exit_code(error), done.stdout, error.detail
        return done.exit_code, done.stdout, done.stderr

    return await asyncio.to_thread(program)


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "revoke", str(uuid4())),
        ("bindings", "suspend", str(uuid4())),
        ("bindings", "resume", str(uuid4())),
        ("bindings", "disconnect", str(uuid4()), "--yes"),
        ("bindings", "disconnect", str(uuid4())),
        ("grants", "retry", str(uuid4())),
    ],
)
async def test_an_unknown_id_exits_with_1_and_a_sentence(
    world: World, arguments: tuple[str, ...]
) -> None:
    """C18."""
    code, printed, said = await run_as_a_program(*arguments)

    assert (code, printed) == (1, "")
    assert said.startswith("No such")


DESTRUCTIVE = ["bindings disconnect", "orgs offboard"]


@pytest.mark.parametrize("command", DESTRUCTIVE)
@pytest.mark.parametrize(
    ("answer", "flag", "ends"),
    [("", (), False), ("n\n", (), False), ("y\n", (), True), ("", ("--yes",), True)],
    ids=["nobody there", "no", "yes", "--yes"],
)
async def test_what_cannot_be_undone_is_confirmed(
    world: World, command: str, answer: str, flag: tuple[str, ...], ends: bool
) -> None:
    """C18: without an answer nothing is done, and the message says how to go ahead."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    what = binding["id"] if command.startswith("bindings") else ACME

    code, printed, said = await run(*command.split(), what, *flag, answer=answer)

    assert (code, "isconnected" in printed) == (0 if ends else 1, ends)
    assert bool(await world.revoked()) is ends
    assert ("nothing was changed" in said.lower()) is not ends
    assert ("--yes" in said) is (answer == "" and not flag)


async def test_the_question_names_what_ends_and_orders_nothing(world: World) -> None:
    """C18, S48."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET external_tenant_name = $1", ODD
    )

    _, _, said = await run("bindings", "disconnect", binding["id"], answer="n\n")

    assert "[red]Acme" in said
    assert ACME in said
    assert said.replace("\n", "").isprintable()


async def test_offboarding_revokes_the_keys_of_the_org(world: World) -> None:
    """E6: each on record; keys of others and for all orgs stay; repeating it is harmless."""
    await (await world.acme_admin()).connects(ACME_TRADING)
    scope = ("--scope", "tokens:read")
    await run("keys", "create", "--name", "one", "--org", ACME, *scope)
    await run("keys", "create", "--name", "two", "--org", ACME, *scope)
    await run("keys", "create", "--name", "gone", "--org", ACME, *scope)
    await run("keys", "create", "--name", "theirs", "--org", GLOBEX, *scope)
    await run("keys", "create", "--name", "all", "--all-orgs", *scope)
    gone = next(key for key in await listed("keys", "list") if key["name"] == "gone")
    await run("keys", "revoke", gone["id"])

    first = await run("orgs", "offboard", ACME, "--yes")
    again = await run("orgs", "offboard", ACME, "--yes")

    assert f"Revoked 2 service keys of {ACME}.\n" in first[1]
    assert f"Disconnected 1 of {ACME}.\n" in first[1]
    assert f"Revoked 0 service keys of {ACME}.\n" in again[1]
    assert f"Disconnected 0 of {ACME}.\n" in again[1]
    states = {key["name"]: key["state"] for key in await listed("keys", "list")}
    assert states == {
        **{"one": "revoked", "two": "revoked", "gone": "revoked"},
        **{"theirs": "valid", "all": "valid"},
    }
    rows = await world.audited("key.revoked")
    assert [row["org_id"] for row in rows] == [ACME] * 3
    assert all(row["actor_id"].startswith("operator:") for row in rows)
