"""Remember what bindings were warned about.

Runs before the new code is rolled out; the old code does not know the columns. A migration of its
own, because one that locks two tables can deadlock with callers. A database that was migrated
before 0016 was divided has the columns.

Revision: 0017
Follows: 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
oldest_code = "0001"

TABLE = "integration_tenant_bindings"
TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name, kind in (("expiring_since", TIME), ("missing_scopes", postgresql.ARRAY(sa.Text()))):
        op.add_column(TABLE, sa.Column(name, kind, nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column(TABLE, "missing_scopes")
    op.drop_column(TABLE, "expiring_since")
