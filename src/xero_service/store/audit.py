"""The audit log: inserted here, refused to be changed by the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.domain import AuditEvent
from xero_service.store.tables import AuditEventRow


def _values(event: AuditEvent) -> dict[str, Any]:
    detail = dict(event.detail)
    if event.actor.impersonator:
        detail["impersonator"] = event.actor.impersonator
    return {
        "org_id": event.org_id,
        "actor_kind": event.actor.kind,
        "actor_id": event.actor.id,
        "action": event.action,
        "outcome": event.outcome,
        "binding_id": event.binding_id,
        "grant_id": event.grant_id,
        "tenant_id": event.tenant_id,
        "request_id": event.actor.request_id,
        "source": event.actor.source,
        "detail": detail,
    }


class AuditLog:
    """The table `audit_events`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work inside the caller's transaction: what is rolled back leaves no record."""
        self._connection = connection

    async def add(self, *events: AuditEvent) -> None:
        """Append events."""
        await self.extend(events)

    async def add_issue(self, event: AuditEvent) -> None:
        """Append the issue of a token, once per key, binding, access token and source.

        The index `uq_audit_events_token_issued` keeps it to one across replicas.
        """
        await self._connection.execute(
            postgresql_insert(AuditEventRow).values(_values(event)).on_conflict_do_nothing()
        )

    async def extend(self, events: Sequence[AuditEvent]) -> None:
        """Append any number of events, none included."""
        if events:
            await self._connection.execute(
                insert(AuditEventRow), [_values(event) for event in events]
            )
