"""Grants to the database role that serves, which must not own what it uses (S57).

The role that migrates owns the tables. The role that serves reads and writes them, but only adds
to the audit log and changes no schema; see SECURITY.md.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from xero_service.errors import ConfigError
from xero_service.store.tables import Base

SETTING = "DATABASE_SERVICE_ROLE"
_READ_ONLY = ("alembic_version", "audit_events")
_EVERY_ROW = "SELECT, INSERT, UPDATE, DELETE"
# Columns of the audit log that the database fills in: when an event was written, and its order.
_BY_THE_DATABASE = ("id", "occurred_at")

_AUDIT_COLUMNS = text(
    "SELECT attname FROM pg_attribute WHERE attrelid = 'audit_events'::regclass"
    " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
_REACH = text("""
SELECT has_schema_privilege(:role, current_schema(), 'CREATE') AS creates,
    has_any_column_privilege(:role, 'audit_events', 'UPDATE')
        OR has_table_privilege(:role, 'audit_events', 'DELETE, TRUNCATE, TRIGGER') AS changes,
    pg_has_role(:role, relowner, 'MEMBER') AS owns
FROM pg_class WHERE oid = 'audit_events'::regclass
""")
# Of the role that asks; false where there is no log yet.
CAN_CHANGE_THE_AUDIT_LOG = """coalesce((
    SELECT pg_has_role(relowner, 'MEMBER') OR has_any_column_privilege(oid, 'UPDATE')
        OR has_table_privilege(oid, 'DELETE, TRUNCATE, TRIGGER')
    FROM pg_class WHERE oid = to_regclass('audit_events')
), false)"""


def require(connection: Connection, role: str) -> None:
    """Raise ConfigError where `role` cannot be the role that serves; changes nothing."""
    found = connection.execute(
        text("SELECT rolsuper, rolname = current_user AS here FROM pg_roles WHERE rolname = :role"),
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
    if found.rolsuper:
        raise ConfigError(
            f'{SETTING} names the role "{role}", a superuser, whom no grant limits.'
            " Name a role without SUPERUSER."
        )


def grant(connection: Connection, role: str) -> None:
    """Grant `role` what serving needs and revoke the rest; repeating it is harmless.

    Raises ConfigError where the role could change the audit log or the schema all the same.
    """
    name = _quoted(connection, role)
    schema = _quoted(connection, connection.scalar(text("SELECT current_schema()")))
    # By name, because what others keep in the same schema is theirs, and a superuser reaches it.
    tables = set(Base.metadata.tables) - set(_READ_ONLY)
    columns = [c for c in connection.scalars(_AUDIT_COLUMNS) if c not in _BY_THE_DATABASE]
    for statement in (
        f"REVOKE CREATE ON SCHEMA {schema} FROM {name}, PUBLIC",
        f"GRANT USAGE ON SCHEMA {schema} TO {name}",
        f"REVOKE ALL ON {_names(connection, _READ_ONLY)} FROM {name}, PUBLIC",
        f"GRANT SELECT ON {_names(connection, _READ_ONLY)} TO {name}",
        f"GRANT INSERT ({_names(connection, columns)}) ON audit_events TO {name}",
        f"GRANT {_EVERY_ROW} ON {_names(connection, sorted(tables))} TO {name}",
        f"GRANT EXECUTE ON FUNCTION delete_audit_events_before(timestamptz, bigint) TO {name}",
    ):
        connection.exec_driver_sql(statement)
    reach = connection.execute(_REACH, {"role": role}).one()
    if reach.owns or reach.changes or reach.creates:
        raise ConfigError(
            f'{SETTING} names the role "{role}", which could still change the audit log or the'
            " schema: it owns them, is a member of a role that may, or PUBLIC may. Nothing was"
            " granted."
        )


def _names(connection: Connection, names: Iterable[str]) -> str:
    return ", ".join(_quoted(connection, name) for name in names)


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
