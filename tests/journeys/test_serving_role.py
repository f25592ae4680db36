"""B10, S57: the whole service works as a role that owns nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import asyncpg
import pytest
from typer.testing import CliRunner

from demo.postgres import Postgres
from tests.service_api.callers import idle, problem, service
from tests.store.roles import TwoRoles, two_roles
from tests.world import ACME, Application, World
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.cli import app as commands
from xero_service.store import schema


@pytest.fixture
def roles(postgres_server: Postgres) -> Iterator[TwoRoles]:
    with two_roles(postgres_server) as made:
        schema.upgrade(made.owner_url, service_role=made.serving_role)
        yield made


@pytest.fixture
def database_url(roles: TwoRoles) -> str:
    return roles.serving_url


@pytest.fixture
def prepared_statements() -> bool:
    return True


@pytest.fixture
async def world(
    application: Application, sandbox: SandboxClient, roles: TwoRoles
) -> AsyncIterator[World]:
    """With a look into the database as its owner."""
    async with World.around(application, sandbox, roles.owner_url) as around:
        yield around


async def run(*arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(CliRunner().invoke, commands, arguments)
    return done.exit_code, done.stdout + done.stderr


async def test_a_connections_life_needs_no_more_than_the_serving_role_has(world: World) -> None:
    """B10: connect, select, refresh, token, proxy, disconnect, keys, upkeep, operators, audit."""
    admin = await world.acme_admin()
    first, second = await admin.connects(ACME_TRADING), await admin.connects(ACME_SERVICES)
    billing = await service(world.application)
    assert (await billing.token(first["id"])).status_code == 200
    assert (await billing.calls(first["id"])).status_code == 200
    await world.ages(second["grantId"])
    report = await admin.refreshes()
    assert report["refreshedCount"] == 1
    await world.services.upkeep.round()
    assert (await admin.get("/activity")).json()["events"]
    assert (await billing.request("GET", "/events")).json()["events"]
    lost = await billing.request("GET", "/events", params={"after": 2**40})
    assert problem(lost) == (410, "cursor_gone")
    await idle(world.application)
    ended = await admin.disconnects(first["id"])
    assert ended["remoteCleanup"] == "done"

    commands_of_operators = [
        ("keys", "create", "--name", "x", "--org", ACME, "--scope", "tokens:read"),
        ("keys", "list"),
        ("keys", "revoke", str(billing.made.key.id)),
        ("bindings", "list"),
        ("bindings", "suspend", second["id"]),
        ("bindings", "resume", second["id"]),
        ("grants", "list"),
        ("scopes", "status"),
        ("grants", "retry", second["grantId"]),
        ("encryption", "rewrap"),
        ("audit",),
        ("audit", "prune"),
        ("orgs", "offboard", ACME, "--yes"),
        ("upkeep", "--once"),
    ]
    for each in commands_of_operators:
        code, said = await run(*each)
        assert code == 0, (each, said)
    assert await world.settled()


async def test_the_service_is_ready_as_the_serving_role(application: Application) -> None:
    """B10."""
    async with application.http() as http:
        answer = await http.get("/readyz")

    assert answer.status_code == 200, answer.text


async def test_no_token_leaves_without_its_record(world: World, roles: TwoRoles) -> None:
    """S50: the role that serves may add to the log; where it may not, nothing is issued."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    billing = await service(world.application)
    owner = await asyncpg.connect(roles.owner_url)
    columns = await owner.fetchval(
        "SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute"
        " WHERE attrelid = 'audit_events'::regclass AND attnum > 0"
    )
    quoted = await owner.fetchval("SELECT quote_ident($1)", roles.serving_role)
    await owner.execute(f"REVOKE INSERT ({columns}) ON audit_events FROM {quoted}")
    await owner.close()

    answer = await billing.token(str(UUID(binding["id"])))

    assert answer.status_code == 500
    assert "accessToken" not in answer.text


async def test_the_doctor_says_that_the_log_is_guarded(world: World) -> None:
    """B10."""
    _, said = await run("doctor")

    assert "✓ audit log: the role serving" in said


async def test_with_one_role_for_all_the_doctor_warns_and_does_not_fail_for_it(
    world: World, roles: TwoRoles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B10: what one URL for both gives up."""
    guarded, _ = await run("doctor")
    monkeypatch.setenv("DATABASE_URL", roles.owner_url)

    code, said = await run("doctor")

    assert "! audit log: the role owner" in said
    assert "DATABASE_SERVICE_ROLE" in said
    assert code == guarded
