"""Remove the setting that allows deletes from the audit log, and always keep a year of it.

Before, any session that set `xero_service.audit_retention` could delete any row, and the retention
function accepted any cutoff from any role. Runs before the new code is rolled out; the old code
calls the same function with its first argument.

Revision: 0007
Follows: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
oldest_code = "0001"

# Only one function may delete a row. A session cannot imitate it: the server keeps the call stack.
# This guards the owner against mistakes; the service role lacks the privilege.
REFUSE = """
CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $audit$
DECLARE call_stack text;
BEGIN
    GET DIAGNOSTICS call_stack = PG_CONTEXT;
    IF TG_OP = 'DELETE' AND OLD.occurred_at < clock_timestamp() - interval '365 days'
        AND strpos(call_stack, 'delete_audit_events_before(timestamp with time zone,bigint)') > 0
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_events is append-only' USING ERRCODE = 'insufficient_privilege';
END $audit$
"""
# It runs with the rights of its owner, so every name in it is qualified. A later cutoff than a
# year ago, or none, means a year ago. Two callers share the work.
RETENTION = """
CREATE FUNCTION delete_audit_events_before(cutoff timestamptz, at_most bigint DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS {body}
"""
RETENTION_BODY = """
DECLARE deleted bigint;
BEGIN
    DELETE FROM {table} WHERE id IN (
        SELECT id FROM {table}
        WHERE occurred_at < least(cutoff, clock_timestamp() - interval '365 days')
        ORDER BY occurred_at LIMIT at_most FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
"""
FORMER_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('xero_service.audit_retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_events is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
FORMER_RETENTION = """
CREATE FUNCTION delete_audit_events_before(cutoff timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE deleted bigint;
BEGIN
    PERFORM set_config('xero_service.audit_retention', 'on', true);
    DELETE FROM audit_events WHERE occurred_at < cutoff;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    PERFORM set_config('xero_service.audit_retention', 'off', true);
    RETURN deleted;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(REFUSE)
    op.execute("DROP FUNCTION delete_audit_events_before(timestamptz)")
    connection = op.get_bind()
    table = connection.scalar(sa.text("SELECT format('%I.audit_events', current_schema())"))
    body = connection.scalar(
        sa.text("SELECT quote_literal(:body)"), {"body": RETENTION_BODY.replace("{table}", table)}
    )
    connection.exec_driver_sql(RETENTION.replace("{body}", body))
    op.execute("REVOKE ALL ON FUNCTION delete_audit_events_before(timestamptz, bigint) FROM PUBLIC")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION delete_audit_events_before(timestamptz, bigint)")
    op.execute(FORMER_RETENTION)
    op.execute(FORMER_REFUSE)
    op.execute("ALTER FUNCTION refuse_audit_change() RESET ALL")
