"""${message}

Runs ${"before"} the new code is rolled out.

Revision: ${up_revision}
Follows: ${down_revision | comma,n}
"""

# Revisions are numbers of four digits that ascend along the chain, each greater than the one it
# follows: code that does not know a greater one takes it for a later one, and stays ready.

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision).replace("'", '"')}
down_revision = ${repr(down_revision).replace("'", '"')}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}
# The oldest code that works on the schema after this migration, named by the newest migration that
# it carries. One that removes what older code uses (a contract migration) names itself, and
# `xero-service migrate` leaves it for `migrate --contract`.
oldest_code = "0001"


# At most one table that exists already may be locked against callers: to wait for the second while
# callers wait for the first is a deadlock, which PostgreSQL ends by failing one of them.
def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    ${downgrades if downgrades else "pass"}
