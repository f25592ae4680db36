"""Drop the index of pending deliveries by position: no statement reads it.

Deliveries are claimed lane by lane, by `ix_webhook_deliveries_lanes`. Each event wrote into both.

Runs before the new code is rolled out; the old code does not need the index.

Revision: 0021
Follows: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
oldest_code = "0001"

INDEX = "ix_webhook_deliveries_pending"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(INDEX, table_name="webhook_deliveries")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        INDEX,
        "webhook_deliveries",
        ["endpoint_id", "event_position"],
        postgresql_where=sa.text("state = 'pending'"),
    )
