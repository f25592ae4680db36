"""Store what was mailed to whom about bindings, and who wants no such mail.

Runs before the new code is rolled out; the old code does not know the tables.

Revision: 0019
Follows: 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None
oldest_code = "0001"

TIME = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "notices",
        sa.Column("binding_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("is_xero_user", sa.Boolean(), nullable=False),
        sa.Column(
            "told",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'::text[]"),
            nullable=False,
        ),
        sa.Column("mailed_at", TIME, nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("binding_id", "recipient", name=op.f("pk_notices")),
        sa.ForeignKeyConstraint(
            ["binding_id"],
            ["integration_tenant_bindings.id"],
            name=op.f("fk_notices_binding_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "notice_unsubscribes",
        sa.Column("address_hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", "kind", name=op.f("pk_notice_unsubscribes")),
    )
    op.create_table(
        "notice_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_enc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_keys")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("notice_keys")
    op.drop_table("notice_unsubscribes")
    op.drop_table("notices")
