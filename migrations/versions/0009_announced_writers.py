"""Announce writers of the audit log by a lock, so that readers know what may still be added.

Ids are given when a row is inserted, not when it is committed. Each transaction that inserts holds
a lock that names the newest event it saw before: all that it adds comes after. See decision 0015.

Runs before the new code is rolled out; the old code announces itself without knowing.

Revision: 0009
Follows: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
oldest_code = "0001"

# Before the statement, and so before any id is drawn. Once in a transaction: its first names the
# lowest, and a thousand rows must not take a thousand locks.
ANNOUNCE = """
CREATE FUNCTION announce_audit_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('xero_service.announced', true), '') <> 'yes' THEN
        PERFORM pg_advisory_xact_lock_shared(
            (22597::bigint << 48) | coalesce((SELECT max(id) FROM audit_events), 0)
        );
        PERFORM set_config('xero_service.announced', 'yes', true);
    END IF;
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER audit_events_announce_writer BEFORE INSERT ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION announce_audit_writer()
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(ANNOUNCE)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TRIGGER audit_events_announce_writer ON audit_events")
    op.execute("DROP FUNCTION announce_audit_writer()")
