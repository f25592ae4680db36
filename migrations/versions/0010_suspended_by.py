"""Record the binding by which a tenant was suspended, so that its id resumes the tenant.

Another org's binding may have taken that one's place since, with an id of its own.

Runs before the new code is rolled out; the old code does not know the column.

Revision: 0010
Follows: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
oldest_code = "0001"

FUNCTION = """
CREATE OR REPLACE FUNCTION keep_suspensions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'suspended' THEN
        INSERT INTO suspended_tenants (provider, external_tenant_id{column})
        VALUES (NEW.provider, NEW.external_tenant_id{value}) ON CONFLICT DO NOTHING;
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
FILL = """
UPDATE suspended_tenants s SET binding_id = b.id FROM integration_tenant_bindings b
WHERE b.provider = s.provider AND b.external_tenant_id = s.external_tenant_id
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("suspended_tenants", sa.Column("binding_id", sa.Uuid(), nullable=True))
    op.execute(FUNCTION.format(column=", binding_id", value=", NEW.id"))
    op.execute(FILL)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(FUNCTION.format(column="", value=""))
    op.drop_column("suspended_tenants", "binding_id")
