"""Delete no more audit events in one call of the retention function than it was told.

Before, the rows were locked in a subquery of `IN`, which PostgreSQL may evaluate again for each
row of the table, each time skipping what it has locked. A common table expression that locks rows
is evaluated once.

Runs before the new code is rolled out; the old code calls the same function.

Revision: 0022
Follows: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
oldest_code = "0001"

# Replacing it keeps its owner and who may call it. Of migration 0007: it runs with the rights of
# its owner, so every name in it is qualified; a later cutoff than a year ago means a year ago.
RETENTION = """
CREATE OR REPLACE FUNCTION delete_audit_events_before(
    cutoff timestamptz, at_most bigint DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS {body}
"""
BODY = """
DECLARE deleted bigint;
BEGIN
    {delete};
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
"""
OLD_EVENTS = """
        SELECT id FROM {table}
        WHERE occurred_at < least(cutoff, clock_timestamp() - interval '365 days')
        ORDER BY occurred_at LIMIT at_most FOR UPDATE SKIP LOCKED
"""
DELETE = f"""WITH old AS ({OLD_EVENTS}    )
    DELETE FROM {{table}} event USING old WHERE event.id = old.id"""
FORMER_DELETE = f"DELETE FROM {{table}} WHERE id IN ({OLD_EVENTS}    )"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _replace(DELETE)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _replace(FORMER_DELETE)


def _replace(delete: str) -> None:
    connection = op.get_bind()
    table = connection.scalar(sa.text("SELECT format('%I.audit_events', current_schema())"))
    body = BODY.replace("{delete}", delete.replace("{table}", table))
    quoted = connection.scalar(sa.text("SELECT quote_literal(:body)"), {"body": body})
    connection.exec_driver_sql(RETENTION.replace("{body}", quoted))
