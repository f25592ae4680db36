"""Record when Xero last refused a live token of a grant, so that one replica refreshes it.

Runs before the new code is rolled out; the old code does not know the columns.

Revision: 0011
Follows: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "integration_grants",
        sa.Column("doubted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
    )
    op.add_column(
        "integration_grants", sa.Column("doubted_generation", sa.BigInteger(), nullable=True)
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("integration_grants", "doubted_generation")
    op.drop_column("integration_grants", "doubted_at")
