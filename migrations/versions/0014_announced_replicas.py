"""Record which code works on the schema, and which replicas run which code.

Runs before the new code is rolled out; the old code does not know the column or the table.

Revision: 0014
Follows: 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Beside the revision, so that both change in one row and are read as one.
    op.add_column("alembic_version", sa.Column("oldest_code", sa.Text(), nullable=True))
    op.create_table(
        "replicas",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "seen_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replicas")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("replicas")
    op.drop_column("alembic_version", "oldest_code")
