"""Keep suspensions by tenant, and let no row of a suspended tenant be usable.

A suspension was a status of the row that happened to bind the tenant: it ended when another org
bound the tenant anew. Now the database holds both sides to it, whoever writes a status: a row that
is suspended suspends its tenant, and while a tenant is suspended no row of it is active.

Runs before the new code is rolled out; the triggers make the old code keep to it, too. Only its
`bindings resume` has no effect any more, because it does not know the table. The column
`suspended_at` stays, for the old code writes it.

Revision: 0006
Follows: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
oldest_code = "0001"

# The suspension is locked while a status depends on it, so that it cannot begin or end meanwhile: a
# transaction that lifts it waits for this one, and then sees the row that this one wrote.
KEEP = """
CREATE FUNCTION keep_suspensions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'suspended' THEN
        INSERT INTO suspended_tenants (provider, external_tenant_id)
        VALUES (NEW.provider, NEW.external_tenant_id) ON CONFLICT DO NOTHING;
    ELSE
        PERFORM FROM suspended_tenants
        WHERE provider = NEW.provider AND external_tenant_id = NEW.external_tenant_id
        FOR SHARE;
        IF FOUND THEN
            NEW.status := 'suspended';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER bindings_keep_suspensions
BEFORE INSERT OR UPDATE OF status, external_tenant_id ON integration_tenant_bindings
FOR EACH ROW WHEN (NEW.status <> 'revoked') EXECUTE FUNCTION keep_suspensions()
"""
SUSPENDED = """
INSERT INTO suspended_tenants (provider, external_tenant_id, suspended_at)
SELECT provider, external_tenant_id, coalesce(suspended_at, updated_at)
FROM integration_tenant_bindings WHERE status = 'suspended' OR suspended_at IS NOT NULL
"""
FORMERLY_SUSPENDED = """
UPDATE integration_tenant_bindings b SET suspended_at = s.suspended_at
FROM suspended_tenants s
WHERE s.provider = b.provider AND s.external_tenant_id = b.external_tenant_id
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "suspended_tenants",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_tenant_id", sa.Text(), nullable=False),
        sa.Column(
            "suspended_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "provider", "external_tenant_id", name=op.f("pk_suspended_tenants")
        ),
    )
    op.execute(KEEP)
    op.execute(TRIGGER)
    # After the trigger exists: creating it waited for open writers, and later ones run it.
    op.execute(SUSPENDED)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(FORMERLY_SUSPENDED)
    op.execute("DROP TRIGGER bindings_keep_suspensions ON integration_tenant_bindings")
    op.execute("DROP FUNCTION keep_suspensions()")
    op.drop_table("suspended_tenants")
