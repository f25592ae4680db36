"""B10, S49, S57: the role that serves cannot change the audit log or the schema."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import asyncpg
import pytest

from demo.postgres import Postgres
from tests.store.roles import TwoRoles, quoted, two_roles, url_as
from xero_service.errors import ConfigError
from xero_service.store import schema
from xero_service.store.database import Database

ODD_NAME = "serve \"it\"; -- %s :x $1 'é'"
RECORD = (
    "INSERT INTO audit_events (occurred_at, actor_kind, actor_id, action, outcome)"
    " VALUES (now() - $1::text::interval, 'system', 'x', $2, 'ok')"
)
DENIED = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.UndefinedFunctionError,
)


@pytest.fixture(scope="module")
def roles(postgres_server: Postgres) -> Iterator[TwoRoles]:
    with two_roles(postgres_server, serving=ODD_NAME) as made:
        schema.upgrade(made.owner_url, service_role=made.serving_role)
        yield made


@pytest.fixture
async def owner(roles: TwoRoles) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(roles.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def serving(roles: TwoRoles, owner: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The role that serves, and a log with one recent event."""
    if not await owner.fetchval("SELECT count(*) FROM audit_events WHERE action = 'recent'"):
        await owner.execute(RECORD, "1 hour", "recent")
    connection = await asyncpg.connect(roles.serving_url)
    yield connection
    await connection.close()


async def recent(owner: asyncpg.Connection) -> list[tuple[str, str]]:
    rows = await owner.fetch("SELECT action, outcome FROM audit_events WHERE action = 'recent'")
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE audit_events SET outcome = 'forged'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "TRUNCATE audit_events, leases CASCADE",
        "SET xero_service.audit_retention = 'on'; DELETE FROM audit_events",
        "SELECT set_config('xero_service.audit_retention', 'on', false); DELETE FROM audit_events",
        "SET session_replication_role = replica",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only",
        "DROP TRIGGER audit_events_append_only ON audit_events",
        "CREATE TRIGGER mine BEFORE INSERT ON audit_events FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "ALTER TABLE audit_events ADD COLUMN extra text",
        "ALTER TABLE audit_events RENAME TO gone",
        "DROP TABLE audit_events",
        "ALTER TABLE audit_events OWNER TO CURRENT_USER",
        "CREATE RULE mine AS ON INSERT TO audit_events DO INSTEAD NOTHING",
        "CREATE INDEX mine ON audit_events (action)",
        "DO $$ BEGIN LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE; END $$",
        "MERGE INTO audit_events USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE",
        "INSERT INTO audit_events (actor_kind, actor_id, action, outcome, occurred_at)"
        " VALUES ('a', 'b', 'c', 'd', now() - interval '2 years')",
        "INSERT INTO audit_events (id, actor_kind, actor_id, action, outcome)"
        " OVERRIDING SYSTEM VALUE SELECT id, 'a', 'b', 'c', 'd' FROM audit_events"
        " ON CONFLICT (id) DO UPDATE SET outcome = 'forged'",
        "SELECT setval(pg_get_serial_sequence('audit_events', 'id'), 1)",
        "SELECT * FROM audit_events FOR UPDATE",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT null'",
        "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN OLD; END'",
        "CREATE FUNCTION delete_audit_events_before(cutoff text) RETURNS bigint"
        " LANGUAGE sql AS 'SELECT 1::bigint'",
        "ALTER FUNCTION delete_audit_events_before RESET ALL",
        "DROP FUNCTION delete_audit_events_before",
        "UPDATE alembic_version SET version_num = '0000'",
        "DELETE FROM alembic_version",
        "ALTER TABLE integration_grants ADD COLUMN extra text",
        "DROP TABLE service_keys",
        "TRUNCATE integration_grants CASCADE",
    ],
)
async def test_the_serving_role_changes_neither_the_audit_log_nor_the_schema(
    serving: asyncpg.Connection, owner: asyncpg.Connection, attempt: str
) -> None:
    """B10, S57."""
    with pytest.raises(DENIED):
        await serving.execute(attempt)

    assert await recent(owner) == [("recent", "ok")]


async def test_the_serving_role_can_give_no_right_away(
    serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    """B10: PostgreSQL only warns of a grant that grants nothing."""
    await serving.execute("GRANT ALL ON audit_events TO PUBLIC")

    assert not await serving.fetchval("SELECT has_table_privilege('audit_events', 'DELETE')")


@pytest.mark.parametrize(
    "cutoff",
    ["now()", "now() + interval '10 years'", "'infinity'", "now() - interval '364 days'", "NULL"],
)
@pytest.mark.parametrize("as_owner", [False, True], ids=["serving", "owner"])
async def test_no_cutoff_deletes_a_recent_event(
    serving: asyncpg.Connection, owner: asyncpg.Connection, cutoff: str, as_owner: bool
) -> None:
    """B10: the limit of a year is in the function's body."""
    caller = owner if as_owner else serving

    await caller.fetchval(f"SELECT delete_audit_events_before({cutoff})")

    assert await recent(owner) == [("recent", "ok")]


async def test_the_serving_role_deletes_what_is_older_than_the_retention(
    serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    await owner.execute(RECORD, "401 days", "old")

    kept = await serving.fetchval("SELECT delete_audit_events_before(now() - interval '402 days')")
    deleted = await serving.fetchval(
        "SELECT delete_audit_events_before(now() - interval '400 days')"
    )

    assert (kept, deleted) == (0, 1)
    assert await recent(owner) == [("recent", "ok")]


async def test_temporary_objects_shadow_nothing_of_the_retention(
    serving: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    """B10: a temporary table of the caller's comes first in its search path."""
    await owner.execute(RECORD, "401 days", "old")
    await serving.execute(
        "CREATE TEMP TABLE audit_events AS SELECT * FROM public.audit_events;"
        "CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz"
        " LANGUAGE sql AS $$ SELECT 'infinity'::timestamptz $$;"
        "SET search_path = pg_temp, public, pg_catalog"
    )

    deleted = await serving.fetchval(
        "SELECT public.delete_audit_events_before(now() - interval '400 days')"
    )

    assert deleted == 1
    assert await serving.fetchval("SELECT count(*) FROM pg_temp.audit_events") >= 1
    assert await recent(owner) == [("recent", "ok")]


async def test_nobody_but_the_serving_role_may_call_the_retention(
    roles: TwoRoles, serving: asyncpg.Connection
) -> None:
    """B10: functions are open to PUBLIC unless that is taken back."""
    public = await serving.fetchval(
        "SELECT bool_or(grantee = 0) FROM pg_proc, aclexplode(proacl)"
        " WHERE proname = 'delete_audit_events_before'"
    )

    assert public is False


@pytest.mark.parametrize(
    "attempt",
    [
        "SET xero_service.audit_retention = 'on'; DELETE FROM audit_events",
        "SET xero_service.audit_retention = 'on';"
        " DELETE FROM audit_events WHERE occurred_at < now() - interval '1 year'",
        "DELETE FROM audit_events WHERE occurred_at < now() - interval '1 year'",
        "UPDATE audit_events SET outcome = 'forged'",
        "TRUNCATE audit_events",
    ],
)
async def test_no_setting_opens_the_audit_log_for_the_owner_either(
    owner: asyncpg.Connection, serving: asyncpg.Connection, attempt: str
) -> None:
    """B10: with one role for all this is what guards against mistakes."""
    await owner.execute(RECORD, "500 days", "old")

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute(attempt)

    await owner.fetchval("SELECT delete_audit_events_before(now())")


async def test_migrating_again_grants_again(roles: TwoRoles, owner: asyncpg.Connection) -> None:
    """B10: also on tables without a grant yet, and takes back what goes too far."""
    await owner.execute(
        f"REVOKE ALL ON leases FROM {quoted(roles.serving_role)};"
        f"GRANT ALL ON audit_events, alembic_version TO {quoted(roles.serving_role)};"
        f"GRANT CREATE ON SCHEMA public TO {quoted(roles.serving_role)}"
    )

    await asyncio.to_thread(schema.upgrade, roles.owner_url, service_role=roles.serving_role)

    serving = await asyncpg.connect(roles.serving_url)
    try:
        await serving.execute("SELECT * FROM leases FOR UPDATE; DELETE FROM leases WHERE false")
        for attempt in ("DELETE FROM audit_events", "CREATE TABLE mine (id int)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await serving.execute(attempt)
    finally:
        await serving.close()


@pytest.mark.parametrize("as_superuser", [False, True], ids=["owner", "superuser"])
async def test_tables_of_others_in_the_same_schema_are_not_granted(
    fresh: TwoRoles, as_superuser: bool
) -> None:
    """B10: of the same owner's, too; a superuser counts as a member of every role."""
    superuser = urlsplit(fresh.server.url).username or ""
    url = url_as(fresh.owner_url, superuser) if as_superuser else fresh.owner_url
    others = await asyncpg.connect(fresh.owner_url)
    await others.execute("CREATE TABLE payroll (id serial PRIMARY KEY)")

    await asyncio.to_thread(schema.upgrade, url, service_role=fresh.serving_role)

    granted = await others.fetchval(
        "SELECT has_table_privilege($1, 'payroll', 'SELECT, INSERT, UPDATE, DELETE')"
        " OR has_sequence_privilege($1, 'payroll_id_seq', 'USAGE, SELECT, UPDATE')",
        fresh.serving_role,
    )
    await others.close()
    assert granted is False


@pytest.fixture
def fresh(postgres_server: Postgres) -> Iterator[TwoRoles]:
    with two_roles(postgres_server) as made:
        yield made


async def test_a_role_that_does_not_exist_is_named_before_anything_changes(
    fresh: TwoRoles,
) -> None:
    """B10."""
    with pytest.raises(ConfigError, match='role "no such role", which does not exist'):
        await asyncio.to_thread(schema.upgrade, fresh.owner_url, service_role="no such role")

    connection = await asyncpg.connect(fresh.owner_url)
    assert await connection.fetchval("SELECT to_regclass('audit_events')") is None
    await connection.close()


MAKE_OTHER = "CREATE ROLE {other} NOLOGIN"
JOIN_OTHER = "GRANT {other} TO {serving}"
LET_OTHER = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT {privilege} ON TABLES TO {other}"


@pytest.mark.parametrize(
    "spoil",
    [  # NOINHERIT holds for what is granted after it
        ["GRANT {owner} TO {serving}"],
        ["ALTER ROLE {serving} NOINHERIT", "GRANT {owner} TO {serving}"],
        ["ALTER ROLE {serving} SUPERUSER"],
        ["ALTER ROLE {serving} CREATEROLE"],
        ["GRANT pg_write_all_data TO {serving}"],
        ["ALTER ROLE {serving} NOINHERIT", "GRANT pg_write_all_data TO {serving}"],
        ["GRANT pg_write_server_files TO {serving}"],
        ["ALTER ROLE {serving} NOINHERIT", "GRANT pg_execute_server_program TO {serving}"],
        [JOIN_OTHER, "ALTER ROLE {other} SUPERUSER"],
        [JOIN_OTHER, "ALTER ROLE {other} CREATEROLE"],
        ["ALTER ROLE {serving} NOINHERIT", JOIN_OTHER, "GRANT {owner} TO {other}"],
        *(
            ["ALTER ROLE {serving} NOINHERIT", JOIN_OTHER, LET_OTHER.replace("{privilege}", right)]
            for right in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
        ),
    ],
    ids=" and ".join,
)
async def test_a_role_that_could_still_change_the_log_is_refused(
    fresh: TwoRoles, spoil: list[str]
) -> None:
    """B10: by itself, or as a role that SET ROLE makes it (with NOINHERIT, too)."""
    owner, serving = quoted(urlsplit(fresh.owner_url).username or ""), quoted(fresh.serving_role)
    other = quoted(f"other {fresh.serving_role}")
    fresh.server.execute(MAKE_OTHER.format(other=other))
    try:
        for statement in spoil:
            done = statement.format(owner=owner, serving=serving, other=other)
            if "DEFAULT PRIVILEGES" in done:
                connection = await asyncpg.connect(fresh.owner_url)
                await connection.execute(done)
                await connection.close()
            else:
                fresh.server.execute(done)

        with pytest.raises(ConfigError, match="DATABASE_SERVICE_ROLE"):
            await asyncio.to_thread(
                schema.upgrade, fresh.owner_url, service_role=fresh.serving_role
            )
        assert not await serving_is_taken_for_harmless(fresh)
    finally:
        fresh.server.drop_database(fresh.owner_url)
        fresh.server.execute(f"DROP ROLE {other}")


async def serving_is_taken_for_harmless(roles: TwoRoles) -> bool:
    """What `doctor` would say of it."""
    owner = await asyncpg.connect(roles.owner_url)
    migrated = await owner.fetchval("SELECT to_regclass('audit_events') IS NOT NULL")
    await owner.close()
    if not migrated:
        await asyncio.to_thread(schema.upgrade, roles.owner_url)
    database = Database(roles.serving_url, pool_size=1, prepared_statements=True)
    facts = await database.facts()
    await database.close()
    return not facts.can_change_the_audit_log


async def test_a_role_that_owns_the_schema_is_refused(fresh: TwoRoles) -> None:
    """B10: it may drop tables in it that are a superuser's, also without CREATE."""
    database, serving = (
        quoted(name) for name in (urlsplit(fresh.owner_url).path[1:], fresh.serving_role)
    )
    superuser = url_as(fresh.owner_url, urlsplit(fresh.server.url).username or "")
    connection = await asyncpg.connect(superuser)
    await connection.execute(f"CREATE SCHEMA kept AUTHORIZATION {serving}")
    await connection.execute(f"ALTER DATABASE {database} SET search_path = kept")
    await connection.close()

    with pytest.raises(ConfigError, match="owns one of them"):
        await asyncio.to_thread(schema.upgrade, superuser, service_role=fresh.serving_role)


async def test_a_member_of_a_role_that_only_reads_may_serve(fresh: TwoRoles) -> None:
    fresh.server.execute(f"GRANT pg_monitor, pg_read_all_data TO {quoted(fresh.serving_role)}")

    await asyncio.to_thread(schema.upgrade, fresh.owner_url, service_role=fresh.serving_role)

    assert await serving_is_taken_for_harmless(fresh)


async def test_migrating_as_the_role_that_serves_is_refused(fresh: TwoRoles) -> None:
    """B10: one URL for both leaves DATABASE_SERVICE_ROLE empty."""
    with pytest.raises(ConfigError, match="DATABASE_SERVICE_ROLE"):
        await asyncio.to_thread(schema.upgrade, fresh.serving_url, service_role=fresh.serving_role)


async def test_a_schema_of_ones_own_is_granted_and_guarded_too(
    fresh: TwoRoles, postgres_server: Postgres
) -> None:
    """B10: the tables lie where the search path of the role that migrates leads."""
    owner = await asyncpg.connect(fresh.owner_url)
    await owner.execute('CREATE SCHEMA "odd $audit$ ""schema"')
    name = quoted('odd $audit$ "schema')
    database = quoted(fresh.owner_url.split("/")[3].split("?")[0])
    fresh.server.execute(f"ALTER DATABASE {database} SET search_path = {name}")

    await asyncio.to_thread(schema.upgrade, fresh.owner_url, service_role=fresh.serving_role)

    await owner.execute(f"SET search_path = {name}")
    await owner.execute(RECORD, "401 days", "old")
    serving = await asyncpg.connect(fresh.serving_url)
    with suppress(asyncpg.InsufficientPrivilegeError):
        await serving.execute("DELETE FROM audit_events")
    assert await owner.fetchval("SELECT count(*) FROM audit_events") == 1
    assert await serving.fetchval("SELECT delete_audit_events_before(now())") == 1
    await serving.close()
    await owner.close()


@pytest.mark.parametrize("as_owner", [False, True], ids=["serving", "one role for all"])
async def test_an_operator_can_see_whether_the_log_is_guarded(
    roles: TwoRoles, as_owner: bool
) -> None:
    """B10: what `doctor` says."""
    url = roles.owner_url if as_owner else roles.serving_url
    database = Database(url, pool_size=1, prepared_statements=True)

    facts = await database.facts()

    await database.close()
    assert facts.can_change_the_audit_log is as_owner
    assert facts.role == (roles.serving_role if not as_owner else facts.role)
