"""Find audit events by their time, so that retention reads no more than it deletes.

Built while events go on being written. Runs at any time; the old code does not notice.

Revision: 0008
Follows: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
oldest_code = "0001"

INDEX = "ix_audit_events_occurred_at"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Before the build, which waits for older transactions: fails if the table is being altered.
    op.execute("LOCK TABLE audit_events IN SHARE UPDATE EXCLUSIVE MODE")
    with op.get_context().autocommit_block():
        # A concurrent build locks no writer out, so it may wait longer than other steps. An index
        # that a failed build left behind is invalid. Outside a transaction SET applies to the
        # session, so `migrate` needs a pooler's session mode.
        op.execute("SET lock_timeout = '30s'")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.create_index(INDEX, "audit_events", ["occurred_at"], postgresql_concurrently=True)
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_audit_events_occurred_at", table_name="audit_events")
