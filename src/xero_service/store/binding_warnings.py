"""Warnings about bindings that only time or the configuration makes true: found by upkeep.

A warning is open while its column of the binding is set. Opening one is `binding.expiring` or
`binding.permissions_missing`; closing one is `binding.recovered`. A binding that needs
re-authorisation has an event of its own and no open warning about its tokens.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import EventKind, binding_event
from xero_service.store.bindings import COLUMNS, to_binding
from xero_service.store.events import Events
from xero_service.store.tables import BindingRow

# 60 days is the end of a refresh token. Failures count if some of them lie an hour apart. While a
# verdict is held, nobody is asked to do anything about it.
_EXPIRES = """(
    g.refresh_token_issued_at < clock_timestamp() - interval '50 days'
    OR (g.refresh_failures > 0 AND g.verdict_held_at IS NULL
        AND g.updated_at >= g.refresh_failing_since + interval '1 hour')
)"""
_IN_USE = "b.status = 'active' AND g.status = 'active'"
_UPDATE = """
    WITH found AS (
        SELECT b.id, {value} AS value
        FROM integration_tenant_bindings b JOIN integration_grants g ON g.id = b.active_grant_id
        WHERE {where}
        ORDER BY b.id LIMIT :limit FOR NO KEY UPDATE OF b SKIP LOCKED
    )
    UPDATE integration_tenant_bindings SET {column} = found.value
    FROM found WHERE found.id = integration_tenant_bindings.id
    RETURNING found.id, found.value
    """
# What the grant lacks. Without any scope recorded it is not known (an early release).
_MISSING = """ARRAY(
    SELECT scope FROM unnest(CAST(:required AS text[])) AS scope
    WHERE cardinality(g.scopes) > 0 AND scope <> ALL (g.scopes) ORDER BY scope
)"""


def _statement(*, column: str, value: str, where: str) -> Any:
    return text(_UPDATE.format(column=column, value=value, where=where))


_OPEN_EXPIRING = _statement(
    column="expiring_since",
    value="clock_timestamp()",
    where=f"b.expiring_since IS NULL AND {_IN_USE} AND {_EXPIRES}",
)
_CLOSE_EXPIRING = _statement(
    column="expiring_since",
    value="CAST(NULL AS timestamptz)",
    where=f"b.expiring_since IS NOT NULL AND {_IN_USE} AND g.verdict_held_at IS NULL"
    f" AND NOT {_EXPIRES}",
)
# By what was reported, not by this replica's XERO_SCOPES: during a rollout replicas differ.
_OPEN_MISSING = _statement(
    column="missing_scopes",
    value=_MISSING,
    where=f"{_IN_USE} AND NOT {_MISSING} <@ coalesce(b.missing_scopes, CAST('{{}}' AS text[]))",
)
_CLOSE_MISSING = _statement(
    column="missing_scopes",
    value="CAST(NULL AS text[])",
    where=f"b.missing_scopes IS NOT NULL AND {_IN_USE} AND b.missing_scopes <@ g.scopes",
)


class BindingWarnings:
    """The columns `expiring_since` and `missing_scopes` of the bindings.

    Another replica that updates the same meanwhile skips the same bindings. Each method needs a
    transaction of its own: a second change of one binding would also lock its grant. A consent
    locks the grant first and then the binding, so the two transactions could deadlock.
    """

    def __init__(self, connection: AsyncConnection, events: Events) -> None:
        """Work inside the caller's transaction, and add its events there."""
        self._connection = connection
        self._events = events

    async def update_expiring(self, *, limit: int) -> bool:
        """Open and close warnings of expiry, with events; return whether there may be more."""
        opened = await self._apply(_OPEN_EXPIRING, EventKind.BINDING_EXPIRING, limit)
        closed = await self._apply(
            _CLOSE_EXPIRING, EventKind.BINDING_RECOVERED, limit, after="expiring"
        )
        return limit in (opened, closed)

    async def update_missing(self, required_scopes: Sequence[str], *, limit: int) -> bool:
        """The same for permissions that are missing."""
        required = {"required": list(required_scopes)}
        opened = await self._apply(
            _OPEN_MISSING, EventKind.BINDING_PERMISSIONS_MISSING, limit, required
        )
        closed = await self._apply(
            _CLOSE_MISSING, EventKind.BINDING_RECOVERED, limit, after="permissions_missing"
        )
        return limit in (opened, closed)

    async def _apply(
        self,
        statement: Any,
        kind: EventKind,
        limit: int,
        given: dict[str, Any] | None = None,
        **data: Any,
    ) -> int:
        changed = await self._connection.execute(statement, {"limit": limit, **(given or {})})
        values = {row.id: row.value for row in changed}
        if not values:
            return 0
        rows = await self._connection.execute(
            select(*COLUMNS).where(BindingRow.id.in_(values)).order_by(BindingRow.id)
        )
        is_missing = kind is EventKind.BINDING_PERMISSIONS_MISSING
        await self._events.add(
            *(
                binding_event(
                    kind, binding, **({"missing": values[binding.id]} if is_missing else data)
                )
                for binding in map(to_binding, rows.mappings())
            )
        )
        return len(values)
