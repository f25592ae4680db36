"""Keep call budgets out of the write-ahead log: each proxied call writes two of them.

After a crash of PostgreSQL, or on a replica of it that takes over, the table is empty: counting
begins anew, and Xero's own answers correct it. Runs at any time; the old code does not notice.

Revision: 0005
Follows: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE call_budgets SET UNLOGGED")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE call_budgets SET LOGGED")
