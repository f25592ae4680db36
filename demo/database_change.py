"""Changes the service's database for browser tests: `python -m demo.database_change CHANGE …`.

For what no request can bring about: the database's clock decides when an attempt to connect
expires, and a grant lacks a scope of XERO_SCOPES only after a deployment that added one.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from xero_service.store.connections import Connector


async def expire_attempts(database: Any) -> None:
    """Set the expiry of every attempt to connect to now."""
    await database.execute("UPDATE verification_tokens SET expires = now()")


async def forget_checks(database: Any) -> None:
    """Make the next check of each grant due, although upkeep may just have made one."""
    await database.execute("UPDATE integration_grants SET check_claimed_at = NULL")


async def narrow_grants(database: Any, scope: str) -> None:
    """Remove a scope from every grant, as if the consents were given before it was asked for."""
    await database.execute("UPDATE integration_grants SET scopes = array_remove(scopes, $1)", scope)


async def bind_tenants(database: Any, tenants: str) -> None:
    """Bind tenants, a JSON array, to the grant and the org of the newest binding."""
    await database.execute(
        """
        INSERT INTO integration_tenant_bindings
            (id, clerk_org_id, external_tenant_id, external_tenant_name, active_grant_id,
             connection_id)
        SELECT gen_random_uuid(), newest.clerk_org_id, tenant ->> 'tenantId',
            tenant ->> 'tenantName', newest.active_grant_id, tenant ->> 'connectionId'
        FROM jsonb_array_elements($1) AS tenant, (
            SELECT * FROM integration_tenant_bindings
            WHERE status = 'active' ORDER BY created_at DESC LIMIT 1
        ) AS newest
        """,
        tenants,
    )


async def unbind_tenants(database: Any, tenants: str) -> None:
    """Delete the bindings of tenants, a JSON array."""
    await database.execute(
        "DELETE FROM integration_tenant_bindings WHERE external_tenant_id = ANY ($1)",
        [tenant["tenantId"] for tenant in json.loads(tenants)],
    )


CHANGES: dict[str, Callable[..., Awaitable[None]]] = {
    "expire-attempts": expire_attempts,
    "forget-checks": forget_checks,
    "narrow-grants": narrow_grants,
    "bind-tenants": bind_tenants,
    "unbind-tenants": unbind_tenants,
}


async def change(database_url: str, name: str, *arguments: str) -> None:
    """Make one of the changes."""
    connection = await Connector.to(database_url).connect()
    try:
        await CHANGES[name](connection, *arguments)
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(change(os.environ["STACK_DATABASE_URL"], *sys.argv[1:]))
