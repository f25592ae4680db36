"""Store events for other systems, the endpoints that receive them, and their deliveries.

A transaction that adds events announces itself with an advisory lock, as for the audit log
(migration 0009, decision 0015), so that a reader with a cursor misses nothing.

Runs before the new code is rolled out; the old code does not know the tables.

Revision: 0012
Follows: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
oldest_code = "0001"

TIME = postgresql.TIMESTAMP(timezone=True)
ANNOUNCE = """
CREATE FUNCTION announce_event_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('xero_service.announced_events', true), '') <> 'yes' THEN
        PERFORM pg_advisory_xact_lock_shared(
            (22598::bigint << 48) | coalesce((SELECT max(position) FROM events), 0)
        );
        PERFORM set_config('xero_service.announced_events', 'yes', true);
    END IF;
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER events_announce_writer BEFORE INSERT ON events
FOR EACH STATEMENT EXECUTE FUNCTION announce_event_writer()
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("recorded_at", TIME, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("org_id", sa.Text(), nullable=True),
        sa.Column("binding_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column(
            "data", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
    )
    op.create_index("ix_events_org_id_position", "events", ["org_id", "position"])
    op.create_index(
        "uq_events_source_key",
        "events",
        ["source_key"],
        unique=True,
        postgresql_where=sa.text("source_key IS NOT NULL"),
    )
    op.execute(ANNOUNCE)
    op.execute(TRIGGER)
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("org_id", sa.Text(), nullable=True),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret_enc", sa.Text(), nullable=False),
        sa.Column("previous_secret_enc", sa.Text(), nullable=True),
        sa.Column("previous_secret_until", TIME, nullable=True),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_position", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.Column("last_attempt_at", TIME, nullable=True),
        sa.Column("last_status", sa.BigInteger(), nullable=True),
        sa.Column("last_answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "endpoint_id", "event_position", name=op.f("pk_webhook_deliveries")
        ),
        sa.ForeignKeyConstraint(
            ["event_position"],
            ["events.position"],
            name=op.f("fk_webhook_deliveries_event_position"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'parked')",
            name=op.f("ck_webhook_deliveries_state"),
        ),
    )
    op.create_index(
        "ix_webhook_deliveries_event_position", "webhook_deliveries", ["event_position"]
    )
    for name, columns in (
        ("ix_webhook_deliveries_pending", ["endpoint_id", "event_position"]),
        ("ix_webhook_deliveries_lanes", ["endpoint_id", "lane", "event_position"]),
    ):
        op.create_index(
            name,
            "webhook_deliveries",
            columns,
            postgresql_where=sa.text("state = 'pending'"),
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_endpoints")
    op.drop_table("events")
    op.execute("DROP FUNCTION announce_event_writer()")
