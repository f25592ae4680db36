"""Remember since when renewing a grant's tokens has failed.

Runs before the new code is rolled out; the old code does not know the column.

Revision: 0016
Follows: 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
oldest_code = "0001"

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("integration_grants", sa.Column("refresh_failing_since", TIME, nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("integration_grants", "refresh_failing_since")
