"""Hold verdicts about refused grants, and remember which database was last seen.

Runs before the new code is rolled out; the old code does not know the column or the tables.

Revision: 0020
Follows: 0019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
oldest_code = "0001"

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("integration_grants", sa.Column("verdict_held_at", TIME, nullable=True))
    op.create_table(
        "verdict_hold",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("held_since", TIME, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("released_at", TIME, nullable=True),
        sa.Column(
            "ended_at",
            postgresql.ARRAY(TIME),
            server_default=sa.text("'{}'::timestamptz[]"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_verdict_hold")),
        sa.CheckConstraint(
            "reason IN ('many_refused', 'database_restored')",
            name=op.f("ck_verdict_hold_reason"),
        ),
    )
    op.create_table(
        "database_mark",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("system_identifier", sa.Text(), nullable=True),
        sa.Column("timeline", sa.BigInteger(), nullable=True),
        sa.Column("restored_at", TIME, nullable=True),
        sa.Column("renew_issued_before", TIME, nullable=True),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_database_mark")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("database_mark")
    op.drop_table("verdict_hold")
    op.drop_column("integration_grants", "verdict_held_at")
