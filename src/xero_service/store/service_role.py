"""Checks the database role of the service and grants its privileges (S57).

The role that migrates owns the tables. The service role reads and writes them, but can only insert
into the audit log and cannot change the schema; see SECURITY.md.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from xero_service.errors import ConfigError
from xero_service.store.events import EVENTS_SEQUENCE
from xero_service.store.tables import Base

SETTING = "DATABASE_SERVICE_ROLE"
_READ_ONLY = ("alembic_version", "audit_events")
_EVERY_ROW = "SELECT, INSERT, UPDATE, DELETE"
# Columns of the audit log that the database alone fills: an event's order and time.
_GENERATED_COLUMNS = ("id", "occurred_at")

_AUDIT_COLUMNS = text(
    "SELECT attname FROM pg_attribute WHERE attrelid = 'audit_events'::regclass"
    " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
# A role can SET ROLE to each role that it is a member of, with or without INHERIT. CREATEROLE can
# grant membership (in any role up to PostgreSQL 15), and the two predefined roles can run code as
# the server's user. The owner of a schema can drop objects of other owners in it.
_UNLIMITED = """(
    rolsuper OR rolcreaterole
    OR rolname IN ('pg_execute_server_program', 'pg_write_server_files')
)"""
_OWNS = "(pg_has_role(role.oid, relowner, 'MEMBER') OR pg_has_role(role.oid, nspowner, 'MEMBER'))"
_CHANGES = """(
    has_any_column_privilege(role.oid, log.oid, 'UPDATE')
    OR has_table_privilege(role.oid, log.oid, 'DELETE, TRUNCATE, TRIGGER')
)"""
_UNLIMITED_ROLES = text(
    f"SELECT rolname FROM pg_roles WHERE {_UNLIMITED}"  # noqa: S608 (constants)
    " AND pg_has_role(:role, oid, 'MEMBER') ORDER BY rolname"
)
_CAN_CHANGE = text(f"""
SELECT bool_or({_OWNS} OR {_CHANGES}
    OR has_schema_privilege(role.oid, current_schema(), 'CREATE'))
FROM pg_roles AS role, pg_class AS log JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE log.oid = 'audit_events'::regclass AND pg_has_role(:role, role.oid, 'MEMBER')
""")  # noqa: S608 (constants)
# The same for the current role; false where there is no audit log yet.
CAN_CHANGE_THE_AUDIT_LOG = f"""coalesce((
    SELECT bool_or({_UNLIMITED} OR {_OWNS} OR {_CHANGES})
    FROM pg_roles AS role, pg_class AS log JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE log.oid = to_regclass('audit_events') AND pg_has_role(role.oid, 'MEMBER')
), false)"""  # noqa: S608 (constants)


def require(connection: Connection, role: str) -> None:
    """Raise ConfigError where `role` cannot be the service role; changes nothing."""
    found = connection.execute(
        text("SELECT rolname = current_user AS here FROM pg_roles WHERE rolname = :role"),
        {"role": role},
    ).one_or_none()
    if found is None:
        raise ConfigError(
            f'{SETTING} names the role "{role}", which does not exist. Create it first:'
            f" CREATE ROLE {_quoted(connection, role)} LOGIN PASSWORD '…'"
        )
    if found.here:
        raise ConfigError(
            f'{SETTING} names the role "{role}" that DATABASE_URL connects as. Migrate as the role'
            " that owns the database; with one role for all leave it empty."
        )
    if unlimited := connection.scalars(_UNLIMITED_ROLES, {"role": role}).first():
        becomes = "is" if unlimited == role else f'may become "{unlimited}",'
        raise ConfigError(
            f'{SETTING} names the role "{role}", which {becomes} a role that no grant limits. Name'
            " one without SUPERUSER and CREATEROLE, and a member of no role that has them, nor of"
            " pg_execute_server_program or pg_write_server_files."
        )


def grant(connection: Connection, role: str) -> None:
    """Grant `role` the privileges of the service and revoke others; idempotent.

    Raises ConfigError where the role could still change the audit log or the schema.
    """
    name = _quoted(connection, role)
    schema = _quoted(connection, connection.scalar(text("SELECT current_schema()")))
    # Table by table: the schema may hold tables of other applications.
    tables = set(Base.metadata.tables) - set(_READ_ONLY)
    columns = [c for c in connection.scalars(_AUDIT_COLUMNS) if c not in _GENERATED_COLUMNS]
    for statement in (
        f"REVOKE CREATE ON SCHEMA {schema} FROM {name}, PUBLIC",
        f"GRANT USAGE ON SCHEMA {schema} TO {name}",
        f"REVOKE ALL ON {_names(connection, _READ_ONLY)} FROM {name}, PUBLIC",
        f"GRANT SELECT ON {_names(connection, _READ_ONLY)} TO {name}",
        f"GRANT INSERT ({_names(connection, columns)}) ON audit_events TO {name}",
        f"GRANT {_EVERY_ROW} ON {_names(connection, sorted(tables))} TO {name}",
        f"GRANT SELECT ON SEQUENCE {EVENTS_SEQUENCE} TO {name}",
        f"GRANT EXECUTE ON FUNCTION delete_audit_events_before(timestamptz, bigint) TO {name}",
    ):
        connection.exec_driver_sql(statement)
    if connection.scalar(_CAN_CHANGE, {"role": role}):
        raise ConfigError(
            f'{SETTING} names the role "{role}", which could still change the audit log or the'
            " schema: it owns one of them, is a member of a role that may, or PUBLIC may. Nothing"
            " was granted."
        )


def _names(connection: Connection, names: Iterable[str]) -> str:
    return ", ".join(_quoted(connection, name) for name in names)


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
