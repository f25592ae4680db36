"""S49: each event has actor, action, time, source and outcome; no caller can fill the log."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.service_api.callers import client_of, idle, problem, service
from tests.world import ACME, ACME_ADMIN, GLOBEX, Application, World
from xero_sandbox.samples import ACCOUNTANT as ACCOUNTANT_AT_XERO
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_SERVICES, ACME_TRADING
from xero_sandbox.samples import GLOBEX as GLOBEX_HOLDINGS
from xero_service.app import PREFIX
from xero_service.domain import SYSTEM
from xero_service.services.connect.flow import REFUSALS_NOTED_A_MINUTE
from xero_service.services.service_keys.authorization import DENIALS_NOTED_A_MINUTE

SUPPORT = {"act": {"sub": "user_support"}}
SELECTION = {"grantId": str(uuid4()), "tenantId": ACME_TRADING}


def told(row: asyncpg.Record) -> tuple[Any, ...]:
    return row["actor_kind"], row["actor_id"], row["org_id"], row["outcome"]


async def test_a_connections_whole_life_is_on_record(world: World) -> None:
    """S49: everything of the list, each with who, org, what, outcome, when, request and source."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    key = await service(world.application)
    await key.token(binding["id"])
    await (await world.acme_member()).get("/activity")
    await admin.returns(f"{PREFIX}/callback?state=unknown")
    landing = await admin.consents()  # again: the first is superseded
    world.sandbox.advance(61 * 24 * 3600)
    await world.ages(landing.grant_id, expires_in="-1 minute")
    await admin.refreshes()
    await admin.disconnects(binding["id"])
    await world.services.keys.revoke(SYSTEM, key.made.key.id)
    await idle(world.application)

    user, made = ("user", ACME_ADMIN, ACME, "ok"), ("system", "xero-service", ACME, "ok")
    expected = {
        "connect.started": user,
        "grant.connected": user,
        "grant.superseded": user,
        "binding.selected": user,
        "binding.disconnected": user,
        "key.created": made,
        "key.revoked": made,
        "token.issued": ("service", str(key.made.key.id), ACME, "ok"),
        "access.denied": ("user", "user_acme_member", ACME, "admin_required"),
        "connect.refused": ("system", "anonymous", None, "flow_mismatch"),
    }
    for action, who in expected.items():
        rows = await world.audited(action)
        assert rows, action
        assert told(rows[0]) == who
        assert rows[0]["occurred_at"] is not None
        if who[0] != "system" or action == "connect.refused":
            assert (rows[0]["request_id"], rows[0]["source"]) != (None, None)
            assert rows[0]["source"] == "127.0.0.1"
    (failed,) = await world.audited("grant.refresh_failed")
    assert (failed["org_id"], failed["grant_id"]) == (ACME, UUID(landing.grant_id))


@pytest.mark.parametrize(
    ("who", "method", "path", "code", "impersonator"),
    [
        ("user_acme_member", "GET", "/start", "admin_required", None),
        ("user_acme_member", "POST", "/tenants/select", "admin_required", None),
        (ACME_ADMIN, "POST", "/tenants/select", "impersonation_refused", "user_support"),
        (ACME_ADMIN, "GET", "/start", "impersonation_refused", "user_support"),
    ],
)
async def test_a_session_user_who_is_refused_is_on_record(
    world: World, who: str, method: str, path: str, code: str, impersonator: str | None
) -> None:
    """S49; S15: both subjects are named."""
    person = await world.person(who, ACME)
    token = person.token(claims=SUPPORT if impersonator else {})

    answer = await person.request(
        method, path, headers={"Authorization": f"Bearer {token}"}, json=SELECTION
    )
    await idle(world.application)

    assert problem(answer) == (403, code)
    (row,) = await world.audited("access.denied")
    assert told(row) == ("user", who, ACME, code)
    assert row["request_id"] == answer.json()["requestId"]
    assert f'"operation": "{method} {path}"' in row["detail"]
    assert (impersonator or "impersonator") in row["detail"] or impersonator is None


async def test_a_key_that_is_refused_is_on_record_b7(world: World) -> None:
    """B7, S49: whatever it is refused for, once a binding is known by which one that was."""
    shared = ACCOUNTANT_AT_XERO.xero_user_id
    admin, globex = await world.acme_admin(), await world.globex_admin()
    theirs = await globex.connects(GLOBEX_HOLDINGS, xero_user=shared)
    binding = await admin.connects(ACME_TRADING, xero_user=shared)
    suspended = await admin.connects(ACME_SERVICES, xero_user=shared)
    await world.services.operators.suspend(SYSTEM, UUID(suspended["id"]))
    billing, every = (
        await service(world.application),
        await service(world.application, org_id=None, name="every"),
    )
    narrow = await service(world.application, "bindings:read", name="narrow")
    mine, one = str(billing.made.key.id), UUID(binding["id"])
    about = (ACME, mine, UUID(suspended["id"]), ACME_SERVICES)
    refused = [
        (billing.token(binding["id"]), "grant_shared", (ACME, mine, one, ACME_TRADING)),
        (billing.token(suspended["id"]), "binding_suspended", about),
        (billing.calls(suspended["id"]), "binding_suspended", about),
        (
            every.naming(ACME).calls(suspended["id"]),
            "binding_suspended",
            (ACME, str(every.made.key.id), *about[2:]),
        ),
        (billing.token(theirs["id"]), "not_found", (ACME, mine, None, None)),
        (billing.naming(GLOBEX).token(theirs["id"]), "org_mismatch", (ACME, mine, None, None)),
        (every.token(binding["id"]), "org_required", (None, str(every.made.key.id), None, None)),
        (
            narrow.token(binding["id"]),
            "scope_required",
            (ACME, str(narrow.made.key.id), None, None),
        ),
        (
            billing.request("POST", "/disconnect", json={"tenantBindingId": theirs["id"]}),
            "not_found",
            (ACME, mine, None, None),
        ),
    ]
    for number, (asked, code, told_of) in enumerate(refused, start=1):
        answer = await asked
        assert problem(answer)[1] == code
        await idle(world.application)
        rows = await world.audited("access.denied")
        assert len(rows) == number, code
        row = rows[-1]
        assert row["outcome"] == code
        assert (row["org_id"], row["actor_id"], row["binding_id"], row["tenant_id"]) == told_of
        assert row["request_id"] == answer.json()["requestId"]
        assert '"key": ' in row["detail"]


async def test_a_grant_that_needs_a_person_is_no_refusal_of_access_b7(world: World) -> None:
    """B7: callers ask for months; that its consent ended is on record once."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.database.execute("UPDATE integration_tenant_bindings SET status = 'needs_reauth'")
    billing = await service(world.application)

    assert problem(await billing.token(binding["id"])) == (409, "reauthorization_required")
    await idle(world.application)

    assert await world.audited("access.denied") == []


@pytest.mark.parametrize("what", ["lists", "selects", "takes", "reaches", "disconnects"])
async def test_a_session_user_who_asks_for_what_is_not_theirs_is_on_record_b7(
    world: World, what: str
) -> None:
    """B7, S49: by the same rule as for service keys."""
    globex, admin = await world.globex_admin(), await world.acme_admin()
    theirs = await globex.connects(ACME_SERVICES)
    landing = await admin.consents(ACME_TRADING, xero_user=ACCOUNTANT_AT_XERO.xero_user_id)
    if what == "takes":
        landing = await admin.consents(ACME_SERVICES, xero_user=ACCOUNTANT_AT_XERO.xero_user_id)
    deeds = {
        "lists": ("GET", f"/tenants/list?grantId={theirs['grantId']}", None, "not_found"),
        "selects": (
            "POST",
            "/tenants/select",
            {"grantId": theirs["grantId"], "tenantId": ACME_SERVICES},
            "not_found",
        ),
        "takes": (
            "POST",
            "/tenants/select",
            {"grantId": landing.grant_id, "tenantId": ACME_SERVICES},
            "tenant_bound_elsewhere",
        ),
        "reaches": (
            "POST",
            "/tenants/select",
            {"grantId": landing.grant_id, "tenantId": GLOBEX_HOLDINGS},
            "tenant_not_accessible",
        ),
        "disconnects": ("POST", "/disconnect", {"tenantBindingId": theirs["id"]}, "not_found"),
    }
    method, path, body, code = deeds[what]

    answer = await admin.request(method, path, **({"json": body} if body else {}))
    await idle(world.application)

    assert problem(answer)[1] == code
    (row,) = await world.audited("access.denied")
    assert told(row) == ("user", ACME_ADMIN, ACME, code)
    assert row["request_id"] == answer.json()["requestId"]
    assert f'"operation": "{method} {path.partition("?")[0]}"' in row["detail"]


async def test_a_start_that_another_site_caused_is_on_record(world: World) -> None:
    """S44, S49."""
    admin = await world.acme_admin()
    admin.wears(admin.token())

    answer = await admin.http.get(f"{PREFIX}/start", headers={"Sec-Fetch-Site": "cross-site"})
    await idle(world.application)

    assert problem(answer) == (403, "cross_site_refused")
    (row,) = await world.audited("access.denied")
    assert told(row) == ("user", ACME_ADMIN, ACME, "cross_site_refused")
    assert await world.audited("connect.started") == []


async def counted(world: World) -> int:
    await idle(world.application)
    return int(await world.database.fetchval("SELECT count(*) FROM audit_events"))


async def test_no_caller_fills_the_log(world: World) -> None:
    """S49: whatever they vary, a few records a minute for who was refused what."""
    member, admin = await world.acme_member(), await world.acme_admin()
    key = await service(world.application, "tokens:read")
    before = await counted(world)

    for _ in range(DENIALS_NOTED_A_MINUTE + 5):
        await member.post("/tenants/select", SELECTION | {"grantId": str(uuid4())})
        await key.token(str(uuid4()))
        await key.calls(str(uuid4()))
        await admin.http.get(f"{PREFIX}/callback?state={uuid4()}")
        await strangers_visit(world.application)

    assert await counted(world) == before + 3 * DENIALS_NOTED_A_MINUTE + REFUSALS_NOTED_A_MINUTE


async def test_a_key_for_all_orgs_fills_no_log_by_naming_orgs(world: World) -> None:
    """S49: it chooses X-Org-Id freely, whether or not its scopes cover what it asks for."""
    every = await service(world.application, "bindings:write", "tokens:read", org_id=None)
    before = await counted(world)
    missing = {"tenantBindingId": str(uuid4())}

    for number in range(DENIALS_NOTED_A_MINUTE + 5):
        caller = every.naming(f"org_invented_{number}")
        disconnected = await caller.request("POST", "/disconnect", json=missing)
        assert problem(disconnected) == (404, "not_found")
        assert problem(await caller.token(str(uuid4()))) == (404, "not_found")
        assert problem(await caller.request("GET", "/bindings")) == (403, "scope_required")

    assert await counted(world) == before + 3 * DENIALS_NOTED_A_MINUTE
    rows = await world.audited("access.denied")
    assert "org_invented_0" in {row["org_id"] for row in rows}


async def test_a_caller_of_a_suspended_binding_fills_no_log_b7(world: World) -> None:
    """B7, S49: these refusals are throttled as the others are."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await world.services.operators.suspend(SYSTEM, UUID(binding["id"]))
    key = await service(world.application)
    before = await counted(world)

    for _ in range(DENIALS_NOTED_A_MINUTE + 5):
        assert problem(await key.token(binding["id"])) == (409, "binding_suspended")

    assert await counted(world) == before + DENIALS_NOTED_A_MINUTE


async def strangers_visit(application: Application) -> httpx.Response:
    async with client_of(application, source="192.0.2.7") as stranger:
        return await stranger.get(f"{PREFIX}/callback?state={uuid4()}&code=x")


async def test_a_refusal_elsewhere_is_still_noted(world: World) -> None:
    """S49: what one is refused does not hide what another is."""
    member, other = await world.acme_member(), await world.person("user_acme_admin", None)

    await member.get("/start")
    await member.post("/tenants/select", SELECTION)
    await other.get("/start")
    await idle(world.application)

    rows = await world.audited("access.denied")
    assert {(row["actor_id"], row["outcome"]) for row in rows} == {
        ("user_acme_member", "admin_required"),
        (ACME_ADMIN, "org_required"),
    }
    assert len(rows) == 3


async def test_each_attempt_that_was_refused_is_on_record(world: World) -> None:
    """S20, S49: for an attempt of an org's the limit does not count."""
    admin = await world.acme_admin()

    for _ in range(3):
        cancelled = world.sandbox.cancel(await admin.starts(), ACME_BOOKKEEPER.xero_user_id)
        await admin.lands(cancelled)

    rows = await world.audited("connect.refused")
    assert [told(row) for row in rows] == [("user", ACME_ADMIN, ACME, "access_denied")] * 3
