"""S39: a stored secret that was moved or altered opens nowhere, and somebody is told."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from tests.service_api.callers import Service, problem, service
from tests.world import World
from xero_sandbox.samples import ACME_TRADING
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT

DETAIL = "Something went wrong on our side"
Alters = Callable[[asyncpg.Connection, str, str], Awaitable[object]]


async def flips_a_byte(database: asyncpg.Connection, table: str, column: str) -> None:
    """One bit of the ciphertext itself, of the tag, of the IV: the tests of sealing try all."""
    for row in await database.fetch(f"SELECT ctid, {column} AS sealed FROM {table}"):  # noqa: S608
        last = int(row["sealed"][-1], 16) ^ 1
        await database.execute(
            f"UPDATE {table} SET {column} = $1 WHERE ctid = $2",  # noqa: S608
            f"{row['sealed'][:-1]}{last:x}",
            row["ctid"],
        )


async def moves_to_another_row(database: asyncpg.Connection, table: str, column: str) -> None:
    """Two rows exchange what they hold."""
    await database.execute(
        f"UPDATE {table} a SET {column} = b.{column}"  # noqa: S608
        f" FROM {table} b WHERE a.ctid <> b.ctid"
    )


async def moves_to_another_column(database: asyncpg.Connection, table: str, column: str) -> None:
    other = {"access_token_enc": "refresh_token_enc", "refresh_token_enc": "access_token_enc"}
    await database.execute(f"UPDATE {table} SET {column} = {other[column]}")  # noqa: S608


elsewhere = pytest.mark.parametrize("alter", [moves_to_another_row, moves_to_another_column])
every_way = pytest.mark.parametrize(
    "alter", [flips_a_byte, moves_to_another_row, moves_to_another_column]
)


@pytest.fixture
async def binding(world: World) -> dict[str, Any]:
    """Ours, while another org's stands beside it."""
    await (await world.globex_admin()).connects(GLOBEX_TENANT, xero_user="xero-user-2")
    return await (await world.acme_admin()).connects(ACME_TRADING)


@pytest.fixture
async def billing(world: World) -> AsyncIterator[Service]:
    found = await service(world.application)
    async with found.http:
        yield found


def alarms(world: World) -> float:
    name, kind = "xero_service_operator_alarms_total", {"kind": "ciphertext"}
    return world.services.metrics.registry.get_sample_value(name, kind) or 0


@every_way
async def test_an_access_token_that_was_tampered_with_is_given_to_nobody(
    world: World, binding: dict[str, Any], billing: Service, alter: Alters
) -> None:
    """S39."""
    before = await billing.token(binding["id"])
    await alter(world.database, "integration_grants", "access_token_enc")
    admin = await world.acme_admin()

    answers = [
        await billing.token(binding["id"]),
        await billing.calls(binding["id"]),
        await admin.get("/tenants/list", params={"grantId": binding["grantId"]}),
    ]

    for answer in answers:
        assert problem(answer) == (500, "internal_error")
        assert answer.json()["detail"] == answer.json()["title"] == DETAIL
    assert before.json()["accessToken"] not in "".join(answer.text for answer in answers)
    assert alarms(world) == len(answers)
    assert world.calls("api") == []


@elsewhere
async def test_a_refresh_token_that_was_tampered_with_is_sent_to_nobody(
    world: World, binding: dict[str, Any], billing: Service, alter: Alters
) -> None:
    """S39: nor is its grant called dead."""
    await alter(world.database, "integration_grants", "refresh_token_enc")
    await world.ages(binding["grantId"], expires_in="-1 minute")

    answer = await billing.token(binding["id"])

    assert problem(answer) == (500, "internal_error")
    assert answer.json()["detail"] == DETAIL
    assert alarms(world) == 1
    assert world.calls("token.refresh") == []
    assert (await world.grant(binding["grantId"]))["status"] == "active"


async def test_a_consenters_name_that_was_tampered_with_is_shown_to_nobody(
    world: World, binding: dict[str, Any]
) -> None:
    """S39: least of all another org's in its place."""
    await moves_to_another_row(world.database, "grant_authorisations", "consenter_enc")

    answer = await (await world.acme_admin()).get("/bindings")

    assert "bookkeeper" not in answer.text
    assert alarms(world) >= 1


async def test_an_attempt_that_was_tampered_with_sends_no_code(world: World) -> None:
    """S39."""
    admin = await world.acme_admin()
    await (await world.globex_admin()).starts()
    back = await admin.allows(ACME_TRADING)
    await moves_to_another_row(world.database, "verification_tokens", "token")

    landing = await admin.lands(back)

    assert landing.error == "exchange_failed"
    assert world.calls("token") == []
    assert alarms(world) == 1


async def test_an_alarm_says_which_row_and_no_secret(
    world: World, binding: dict[str, Any], billing: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """S39: an operator finds it."""
    row = await world.grant(binding["grantId"])
    await flips_a_byte(world.database, "integration_grants", "access_token_enc")

    await billing.token(binding["id"])

    said = json.dumps(capsys.readouterr())
    assert "a stored secret does not open" in said
    assert f"{row['id']}:access_token_enc" in said
    assert row["access_token_enc"][:24] not in said
