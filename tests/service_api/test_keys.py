"""S14: service keys are shown once, stored hashed, and refused for every documented reason."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from tests.service_api.callers import Service, idle, problem, service
from tests.service_api.conftest import Connected
from tests.world import ACME, GLOBEX, Application, World
from xero_sandbox.samples import GLOBEX as GLOBEX_TENANT
from xero_service.cli import app as commands
from xero_service.domain import SYSTEM
from xero_service.services.service_keys.authorization import DENIALS_NOTED_A_MINUTE

KEY = re.compile(r"xsk_[0-9a-f]{32}_[A-Za-z0-9_-]{43}")


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda key: key[:4],
        lambda key: key[4:],
        lambda key: key[:-1],
        lambda key: key + "A",
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: key.replace(key.split("_")[1], uuid4().hex),
        lambda key: key.upper(),
        lambda key: key + "'; DROP TABLE service_keys; --",
    ],
)
async def test_a_wrong_key_is_refused_whatever_is_wrong_with_it(
    billing: Service, connected: Connected, spoilt: Callable[[str], str]
) -> None:
    """S14: a right id with a wrong secret too."""
    stranger = billing.presenting(spoilt(billing.made.secret))

    bodies = set()
    for response in (await stranger.token(connected.id), await stranger.calls(connected.id)):
        assert problem(response) == (401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"
        bodies.add(response.json()["detail"])

    assert len(bodies) == 1
    assert connected.world.calls("api") == []


async def test_an_expired_key_is_refused(application: Application, connected: Connected) -> None:
    """S14."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    expiring = await service(application, expires_at=soon)
    assert (await expiring.token(connected.id)).status_code == 200

    await connected.world.database.execute("UPDATE service_keys SET expires_at = now()")

    assert problem(await expiring.token(connected.id)) == (401, "unauthorized")
    assert problem(await expiring.request("GET", "/bindings")) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("bindings:read", "GET", "/bindings"),
        ("tokens:read", "POST", "/bindings/{id}/token"),
        ("api:call", "GET", "/bindings/{id}/api/api.xro/2.0/Organisation"),
        ("grants:refresh", "POST", "/refresh"),
        ("bindings:write", "POST", "/disconnect"),
        ("activity:read", "GET", "/activity"),
    ],
)
async def test_a_key_may_do_what_its_scopes_say_and_nothing_else(
    application: Application, connected: Connected, scope: str, method: str, path: str
) -> None:
    """S14."""
    every = {"bindings:read", "tokens:read", "api:call", "grants:refresh", "bindings:write"}
    with_it = await service(application, scope)
    without = await service(application, *sorted((every | {"activity:read"}) - {scope}))
    body = {"json": {"tenantBindingId": connected.id}} if path == "/disconnect" else {}
    path = path.format(id=connected.id)

    refused = await without.request(method, path, **body)
    allowed = await with_it.request(method, path, **body)

    assert problem(refused) == (403, "scope_required")
    assert scope in refused.json()["detail"]
    assert allowed.status_code == 200


async def test_a_key_of_one_org_names_no_other_and_sees_no_other(
    application: Application, connected: Connected, world: World
) -> None:
    """S14, S16."""
    globex = await world.globex_admin()
    foreign = await globex.connects(GLOBEX_TENANT, xero_user="xero-user-2")
    of_acme = await service(application, org_id=ACME)

    listed = (await of_acme.request("GET", "/bindings")).json()["bindings"]
    assert [each["id"] for each in listed] == [connected.id]
    assert problem(await of_acme.token(foreign["id"])) == (404, "not_found")
    assert problem(await of_acme.calls(foreign["id"])) == (404, "not_found")
    assert problem(await of_acme.naming(GLOBEX).token(foreign["id"])) == (403, "org_mismatch")
    ended = await of_acme.request("POST", "/disconnect", json={"tenantBindingId": foreign["id"]})
    assert problem(ended) == (404, "not_found")
    assert (await of_acme.naming(ACME).token(connected.id)).status_code == 200


async def test_a_key_for_all_orgs_must_name_one(
    application: Application, connected: Connected
) -> None:
    """S14."""
    of_all = await service(application, org_id=None)

    assert problem(await of_all.token(connected.id)) == (403, "org_required")
    assert problem(await of_all.calls(connected.id)) == (403, "org_required")
    assert problem(await of_all.request("GET", "/bindings")) == (403, "org_required")
    assert problem(await of_all.naming(GLOBEX).token(connected.id)) == (404, "not_found")
    assert (await of_all.naming(ACME).token(connected.id)).status_code == 200


async def test_a_refusal_is_audited_without_filling_the_log(
    application: Application, connected: Connected, world: World
) -> None:
    """S49."""
    reader = await service(application, "bindings:read")

    for _ in range(DENIALS_NOTED_A_MINUTE + 5):
        await reader.token(connected.id)

    await idle(application)
    row, *others = await world.audited("access.denied")
    assert len(others) == DENIALS_NOTED_A_MINUTE - 1
    assert row["outcome"] == "scope_required"
    assert row["actor_id"] == str(reader.made.key.id)
    assert row["org_id"] == ACME
    assert row["source"] == "127.0.0.1"


async def test_two_keys_overlap_while_one_is_rotated(
    application: Application, connected: Connected
) -> None:
    old, new = await service(application), await service(application)
    assert (await old.token(connected.id)).status_code == 200
    assert (await new.token(connected.id)).status_code == 200

    await application.services.keys.revoke(SYSTEM, old.made.key.id)

    assert problem(await old.token(connected.id)) == (401, "unauthorized")
    assert (await new.token(connected.id)).status_code == 200


async def test_only_a_hash_of_the_secret_is_kept(billing: Service, world: World) -> None:
    """S14: stored hashed."""
    secret = billing.made.secret.split("_", 2)[2]

    row = await world.database.fetchrow("SELECT * FROM service_keys")

    assert row is not None
    assert row["secret_hash"] == sha256(secret.encode()).hexdigest()
    assert secret not in repr(dict(row))
    events = await world.database.fetch("SELECT row_to_json(audit_events)::text FROM audit_events")
    assert all(secret not in each[0] for each in events)
    assert secret not in repr(billing.made)


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(commands, arguments)
    return done.exit_code, done.stdout, done.stderr


def test_a_key_is_printed_once_and_never_listed(settings: object) -> None:
    """S14: shown once."""
    code, printed, said = run(
        *("keys", "create", "--name", "billing", "--org", ACME),
        *("--scope", "tokens:read", "--scope", "api:call", "--expires", "90d"),
    )
    assert code == 0
    assert KEY.fullmatch(printed.strip())
    assert not KEY.search(said)
    key_id = said.split()[1]

    code, listed, _ = run("keys", "list")
    assert code == 0
    assert key_id in listed
    assert "api:call tokens:read" in listed
    assert "never" in listed
    assert printed.strip().split("_", 2)[2] not in listed

    code, revoked, _ = run("keys", "revoke", key_id)
    assert code == 0
    assert "billing" in revoked
    assert "revoked" in run("keys", "list")[1]
    assert run("keys", "revoke", key_id)[0] != 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--name", "x", "--scope", "tokens:read"),
        ("--name", "x", "--scope", "tokens:read", "--org", ACME, "--all-orgs"),
        ("--name", "x", "--scope", "everything", "--org", ACME),
        ("--name", "x", "--org", ACME),
        ("--name", "x", "--scope", "tokens:read", "--org", ACME, "--expires", "yesterday"),
        ("--name", "x", "--scope", "tokens:read", "--org", ACME, "--expires", "2020-01-01"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(
    settings: object, arguments: tuple[str, ...]
) -> None:
    code, printed, _ = run("keys", "create", *arguments)

    assert code != 0
    assert not KEY.search(printed)
