"""Keep that a binding is suspended while it is disconnected, until an operator resumes it.

Runs before the new code is rolled out; the old code does not know the column.

Revision: 0004
Follows: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "integration_tenant_bindings",
        sa.Column("suspended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
    )
    op.execute(
        "UPDATE integration_tenant_bindings SET suspended_at = updated_at"
        " WHERE status = 'suspended'"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("integration_tenant_bindings", "suspended_at")
