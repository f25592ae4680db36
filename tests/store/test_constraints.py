"""The database itself refuses rows that break an invariant."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.store.conftest import XERO_USER, Rows, consent
from xero_service.domain import SYSTEM, AuditAction, AuditEvent, Grant
from xero_service.store.database import Database

STATUS = "SELECT status FROM integration_tenant_bindings"


async def another_active(sql: asyncpg.Connection, xero_user: str, status: str) -> None:
    await sql.execute(
        "INSERT INTO integration_grants (id, authorised_by_clerk_user_id, clerk_org_id,"
        " refresh_token_issued_at, expires_at, status, xero_user_id, scopes)"
        " VALUES ($1, 'user_two', 'org_two', now(), now(), $3, $2, '{}')",
        uuid4(),
        xero_user,
        status,
    )


async def test_a_xero_user_has_one_active_grant(sql: asyncpg.Connection, grant: Grant) -> None:
    """R21, R26."""
    with pytest.raises(asyncpg.UniqueViolationError, match="one_active"):
        await another_active(sql, XERO_USER, "active")


@pytest.mark.parametrize("status", ["revoked", "refresh_failed"])
async def test_and_any_number_of_ended_ones(
    sql: asyncpg.Connection, grant: Grant, status: str
) -> None:
    await another_active(sql, XERO_USER, status)
    await another_active(sql, XERO_USER, status)


async def test_a_newer_consent_takes_the_place_of_every_older_one(rows: Rows, grant: Grant) -> None:
    newer = await rows.grant(consent(name="2", org="org_two"))

    row = await rows.row(grant)
    assert (row["status"], row["superseded_by"]) == ("revoked", newer.id)
    assert (row["access_token_enc"], row["refresh_token_enc"]) == (None, None)
    assert newer.generation == grant.generation + 1


async def test_a_chain_of_consents_leads_to_the_newest(
    rows: Rows, database: Database, grant: Grant
) -> None:
    await rows.grant(consent(name="2"))
    newest = await rows.grant(consent(name="3"))

    async with database.transaction() as tx:
        found = await tx.grants.current(grant.id)

    assert found is not None
    assert found.id == newest.id


async def bind(sql: asyncpg.Connection, grant_id: UUID, *, org: str, status: str) -> None:
    await sql.execute(
        "INSERT INTO integration_tenant_bindings (id, clerk_org_id, external_tenant_id,"
        " external_tenant_name, active_grant_id, status) VALUES ($1, $2, 'tenant', 'T', $3, $4)",
        uuid4(),
        org,
        grant_id,
        status,
    )


@pytest.mark.parametrize("status", ["active", "suspended", "needs_reauth", "revoked"])
async def test_a_tenant_has_one_binding(sql: asyncpg.Connection, grant: Grant, status: str) -> None:
    """R20."""
    await bind(sql, grant.id, org="org_one", status=status)

    with pytest.raises(asyncpg.UniqueViolationError, match="provider"):
        await bind(sql, grant.id, org="org_two", status="active")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE integration_grants SET status = 'gone'",
        "UPDATE integration_grants SET superseded_by = gen_random_uuid()",
        "UPDATE integration_grants SET xero_user_id = NULL",
    ],
)
async def test_a_grant_cannot_be_what_nobody_knows(
    sql: asyncpg.Connection, grant: Grant, statement: str
) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await sql.execute(statement)


@pytest.mark.parametrize("status", ["active", "needs_reauth"])
async def test_no_binding_of_a_suspended_tenant_is_usable_b3(
    sql: asyncpg.Connection, grant: Grant, status: str
) -> None:
    """B3, S56: also when the previous release or an operator writes the status."""
    await bind(sql, grant.id, org="org_one", status="suspended")
    assert await sql.fetchval("SELECT count(*) FROM suspended_tenants") == 1

    await sql.execute("UPDATE integration_tenant_bindings SET status = $1", status)
    assert await sql.fetchval(STATUS) == "suspended"
    await sql.execute("UPDATE integration_tenant_bindings SET status = 'revoked'")
    await sql.execute("DELETE FROM integration_tenant_bindings")
    await bind(sql, grant.id, org="org_two", status=status)
    assert await sql.fetchval(STATUS) == "suspended"

    await sql.execute("DELETE FROM suspended_tenants")
    await sql.execute("UPDATE integration_tenant_bindings SET status = $1", status)
    assert await sql.fetchval(STATUS) == status


@pytest.fixture
async def recorded(database: Database, sql: asyncpg.Connection) -> None:
    await sql.execute(
        "INSERT INTO audit_events (occurred_at, actor_kind, actor_id, action, outcome)"
        " VALUES (now() - interval '2 years', 'system', 'x', 'old', 'ok')"
    )
    async with database.transaction() as tx:
        await tx.audit.add(AuditEvent(SYSTEM, AuditAction.KEY_CREATED))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET outcome = 'ok'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "TRUNCATE audit_events CASCADE",
        "INSERT INTO audit_events (id, actor_kind, actor_id, action, outcome)"
        " OVERRIDING SYSTEM VALUE SELECT id, 'a', 'b', 'c', 'd' FROM audit_events"
        " ON CONFLICT (id) DO UPDATE SET outcome = 'forged'",
    ],
)
async def test_the_audit_log_is_only_ever_added_to(
    sql: asyncpg.Connection, recorded: None, statement: str
) -> None:
    """S49."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await sql.execute(statement)


async def test_retention_alone_deletes_from_the_audit_log(
    sql: asyncpg.Connection, recorded: None
) -> None:
    """S49."""
    newest = await sql.fetchval("SELECT max(occurred_at) FROM audit_events")

    deleted = await sql.fetchval("SELECT delete_audit_events_before($1)", newest)

    assert deleted == 1
    assert await sql.fetchval("SELECT array_agg(action) FROM audit_events") == ["key.created"]


async def test_retention_opens_the_audit_log_for_nobody_else(
    sql: asyncpg.Connection, recorded: None
) -> None:
    """S49: not even within its own transaction."""
    async with sql.transaction():
        await sql.execute("SELECT delete_audit_events_before('2000-01-01')")

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sql.execute("DELETE FROM audit_events")


async def test_what_is_rolled_back_leaves_no_record(
    database: Database, sql: asyncpg.Connection
) -> None:
    async def change_ones_mind() -> None:
        async with database.transaction() as tx:
            await tx.audit.add(AuditEvent(SYSTEM, AuditAction.KEY_CREATED))
            raise LookupError

    with pytest.raises(LookupError):
        await change_ones_mind()

    assert await sql.fetchval("SELECT count(*) FROM audit_events") == 0
