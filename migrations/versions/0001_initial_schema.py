"""Create the tables of the service.

Runs before the new code is rolled out.

Revision: 0001
Follows: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
oldest_code = "0001"

# Append-only against mistakes; the database's owner is trusted. Only retention may delete, through
# one function that sets a flag for its transaction.
AUDIT_FUNCTIONS = """
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('xero_service.audit_retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_events is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
AUDIT_ROW_TRIGGER = """
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()
"""
AUDIT_TRUNCATE_TRIGGER = """
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
"""
AUDIT_RETENTION = """
CREATE FUNCTION delete_audit_events_before(cutoff timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE deleted bigint;
BEGIN
    PERFORM set_config('xero_service.audit_retention', 'on', true);
    DELETE FROM audit_events WHERE occurred_at < cutoff;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    PERFORM set_config('xero_service.audit_retention', 'off', true);
    RETURN deleted;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "occurred_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("org_id", sa.Text(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("binding_id", sa.Uuid(), nullable=True),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_org_id_id", "audit_events", ["org_id", "id"], unique=False)
    op.create_index(
        "uq_audit_events_token_issued",
        "audit_events",
        [
            "actor_id",
            "binding_id",
            "grant_id",
            sa.text("(detail ->> 'generation')"),
            sa.text("coalesce(source, '')"),
        ],
        unique=True,
        postgresql_where=sa.text("action = 'token.issued'"),
    )
    op.create_table(
        "call_budgets",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column(
            "recent_calls",
            postgresql.ARRAY(postgresql.TIMESTAMP(timezone=True)),
            server_default=sa.text("'{}'::timestamptz[]"),
            nullable=False,
        ),
        sa.Column(
            "slots",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("cool_down_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("day_remaining", sa.BigInteger(), nullable=True),
        sa.Column("minute_remaining", sa.BigInteger(), nullable=True),
        sa.Column("learned_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_call_budgets")),
    )
    op.create_table(
        "integration_grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("authorised_by_clerk_user_id", sa.Text(), nullable=False),
        sa.Column("clerk_org_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), server_default="xero", nullable=False),
        sa.Column("access_token_enc", sa.Text(), nullable=True),
        sa.Column("refresh_token_enc", sa.Text(), nullable=True),
        sa.Column("refresh_token_issued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("xero_user_id", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("lease_holder", sa.Uuid(), nullable=True),
        sa.Column("lease_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("refresh_sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("refresh_sent_by", sa.Uuid(), nullable=True),
        sa.Column("refresh_failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_refresh_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "status IN ('active', 'revoked', 'refresh_failed')",
            name=op.f("ck_integration_grants_status"),
        ),
        sa.ForeignKeyConstraint(
            ["superseded_by"],
            ["integration_grants.id"],
            name=op.f("fk_integration_grants_superseded_by"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_grants")),
    )
    op.create_index(
        op.f("ix_integration_grants_clerk_org_id"),
        "integration_grants",
        ["clerk_org_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_integration_grants_expires_at"), "integration_grants", ["expires_at"], unique=False
    )
    op.create_index(
        "ix_integration_grants_superseded_by", "integration_grants", ["superseded_by"], unique=False
    )
    op.create_index(
        "uq_integration_grants_one_active",
        "integration_grants",
        ["provider", "xero_user_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("lease_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "service_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("org_id", sa.Text(), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_service_keys_secret_hash")),
    )
    op.create_table(
        "verification_tokens",
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("browser_hash", sa.Text(), nullable=False),
        sa.Column("expires", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("consumed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("landing", sa.Text(), nullable=True),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("identifier", name=op.f("pk_verification_tokens")),
    )
    op.create_index(
        op.f("ix_verification_tokens_expires"), "verification_tokens", ["expires"], unique=False
    )
    op.create_table(
        "grant_authorisations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("clerk_org_id", sa.Text(), nullable=False),
        sa.Column("clerk_user_id", sa.Text(), nullable=False),
        sa.Column("authentication_event_id", sa.Text(), nullable=True),
        sa.Column("tenant_ids", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("matched_event", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("first_selected_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("consenter_enc", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["integration_grants.id"], name=op.f("fk_grant_authorisations_grant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_authorisations")),
    )
    op.create_index(
        op.f("ix_grant_authorisations_clerk_org_id"),
        "grant_authorisations",
        ["clerk_org_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_grant_authorisations_grant_id"), "grant_authorisations", ["grant_id"], unique=False
    )
    op.create_table(
        "integration_tenant_bindings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clerk_org_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), server_default="xero", nullable=False),
        sa.Column("external_tenant_id", sa.Text(), nullable=False),
        sa.Column("external_tenant_name", sa.Text(), nullable=False),
        sa.Column("active_grant_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("connection_id", sa.Text(), nullable=True),
        sa.Column("tenant_type", sa.Text(), server_default="ORGANISATION", nullable=False),
        sa.Column("last_checked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('active', 'suspended', 'revoked', 'needs_reauth')",
            name=op.f("ck_integration_tenant_bindings_status"),
        ),
        sa.ForeignKeyConstraint(
            ["active_grant_id"],
            ["integration_grants.id"],
            name=op.f("fk_integration_tenant_bindings_active_grant_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_tenant_bindings")),
        sa.UniqueConstraint(
            "provider",
            "external_tenant_id",
            name=op.f("uq_integration_tenant_bindings_provider_external_tenant_id"),
        ),
    )
    op.create_index(
        op.f("ix_integration_tenant_bindings_active_grant_id"),
        "integration_tenant_bindings",
        ["active_grant_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_integration_tenant_bindings_clerk_org_id"),
        "integration_tenant_bindings",
        ["clerk_org_id"],
        unique=False,
    )
    op.create_table(
        "remote_cleanups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("org_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("binding_id", sa.Uuid(), nullable=True),
        sa.Column("xero_user_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("connection_id", sa.Text(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "next_attempt_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('revoke', 'delete_connection')", name=op.f("ck_remote_cleanups_kind")
        ),
        sa.CheckConstraint(
            "outcome IN ('done', 'impossible', 'cancelled')",
            name=op.f("ck_remote_cleanups_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["integration_grants.id"], name=op.f("fk_remote_cleanups_grant_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_cleanups")),
    )
    op.create_index(
        op.f("ix_remote_cleanups_binding_id"), "remote_cleanups", ["binding_id"], unique=False
    )
    op.create_index(
        op.f("ix_remote_cleanups_grant_id"), "remote_cleanups", ["grant_id"], unique=False
    )
    op.create_index(
        "ix_remote_cleanups_owed",
        "remote_cleanups",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        op.f("ix_remote_cleanups_xero_user_id"), "remote_cleanups", ["xero_user_id"], unique=False
    )
    op.execute(AUDIT_FUNCTIONS)
    op.execute(AUDIT_ROW_TRIGGER)
    op.execute(AUDIT_TRUNCATE_TRIGGER)
    op.execute(AUDIT_RETENTION)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(op.f("ix_remote_cleanups_xero_user_id"), table_name="remote_cleanups")
    op.drop_index(
        "ix_remote_cleanups_owed",
        table_name="remote_cleanups",
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.drop_index(op.f("ix_remote_cleanups_grant_id"), table_name="remote_cleanups")
    op.drop_index(op.f("ix_remote_cleanups_binding_id"), table_name="remote_cleanups")
    op.drop_table("remote_cleanups")
    op.drop_index(
        op.f("ix_integration_tenant_bindings_clerk_org_id"),
        table_name="integration_tenant_bindings",
    )
    op.drop_index(
        op.f("ix_integration_tenant_bindings_active_grant_id"),
        table_name="integration_tenant_bindings",
    )
    op.drop_table("integration_tenant_bindings")
    op.drop_index(op.f("ix_grant_authorisations_grant_id"), table_name="grant_authorisations")
    op.drop_index(op.f("ix_grant_authorisations_clerk_org_id"), table_name="grant_authorisations")
    op.drop_table("grant_authorisations")
    op.drop_index(op.f("ix_verification_tokens_expires"), table_name="verification_tokens")
    op.drop_table("verification_tokens")
    op.drop_table("service_keys")
    op.drop_table("leases")
    op.drop_index(
        "uq_integration_grants_one_active",
        table_name="integration_grants",
        postgresql_where=sa.text("status = 'active'"),
    )
    op.drop_index("ix_integration_grants_superseded_by", table_name="integration_grants")
    op.drop_index(op.f("ix_integration_grants_expires_at"), table_name="integration_grants")
    op.drop_index(op.f("ix_integration_grants_clerk_org_id"), table_name="integration_grants")
    op.drop_table("call_budgets")
    op.drop_table("integration_grants")
    op.drop_index("ix_audit_events_org_id_id", table_name="audit_events")
    op.drop_table("audit_events")
    op.execute("DROP FUNCTION delete_audit_events_before(timestamptz)")
    op.execute("DROP FUNCTION refuse_audit_change()")
