"""Disconnect bindings: here at once, at Xero by a remote cleanup that upkeep retries."""

import asyncio
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from xero_service import failpoints
from xero_service.background import BackgroundWork
from xero_service.domain import (
    SYSTEM,
    Actor,
    AuditAction,
    AuditEvent,
    Binding,
    BindingStatus,
    Cleanup,
    CleanupKind,
    CleanupOutcome,
    Grant,
    GrantStatus,
)
from xero_service.errors import (
    IntegrationError,
    NotFound,
)
from xero_service.failpoints import Place
from xero_service.services.bindings import (
    BindingRecord,
    BindingsService,
    BindingView,
    read_record,
)
from xero_service.services.disconnect.remote_cleanup import CleanupService
from xero_service.store.database import Database
from xero_service.store.remote_cleanups import NewCleanup
from xero_service.store.transaction import Transaction
from xero_service.telemetry.request_record import note_binding
from xero_service.timeouts import DISCONNECT_WAIT_SECONDS

Remote = Literal["done", "pending", "impossible"]


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The result of a disconnect here, and the state of its remote cleanup."""

    binding_id: UUID
    grant_revoked: bool
    remote: Remote
    record: BindingRecord


@dataclass(frozen=True, slots=True)
class DisconnectService:
    """Revokes bindings, and grants on which no binding rests any more."""

    database: Database
    cleanups: CleanupService
    background: BackgroundWork
    bindings: BindingsService

    async def disconnect_and_view(
        self, binding_id: UUID, org_id: str, actor: Actor
    ) -> tuple[Disconnected, BindingView]:
        """As `disconnect`, and return the revoked binding as its org sees it."""
        ended = await self.disconnect(binding_id, org_id, actor)
        return ended, self.bindings.view(ended.record)

    async def disconnect(self, binding_id: UUID, org_id: str, actor: Actor) -> Disconnected:
        """Revoke one of the org's bindings; wait for Xero five seconds at most.

        Idempotent. Raises NotFound.
        """
        async with self.database.transaction() as tx:
            binding, grant = await self._lock(tx, binding_id, org_id)
            note_binding(binding_id)
            if binding.status is BindingStatus.REVOKED:
                record = await read_record(tx, binding_id, org_id)
                return _describe_repeat(
                    record, grant, await tx.cleanups.last_of_binding(binding.id)
                )
            await tx.bindings.revoke(binding.id)
            last = not await tx.bindings.resting_on(
                grant.id
            ) and not await tx.authorisations.awaits_selection(grant.id, other_than=org_id)
            cleanup = await self._record_cleanup(tx, binding, grant, revoke=last)
            await tx.audit.add(
                AuditEvent.of_binding(
                    actor, AuditAction.BINDING_DISCONNECTED, binding, grantRevoked=last
                )
            )
            record = await read_record(tx, binding_id, org_id)
        failpoints.reached(Place.DISCONNECT_COMMITTED)
        return Disconnected(binding_id, last, await self._execute_cleanup(cleanup), record)

    async def _lock(self, tx: Transaction, binding_id: UUID, org_id: str) -> tuple[Binding, Grant]:
        """Lock the grant, then the binding: the same order everywhere avoids deadlocks."""
        while True:
            seen = await tx.bindings.get(binding_id, org_id)
            if seen is None:
                raise NotFound
            grant = await tx.grants.lock(seen.grant.id)
            binding = await tx.bindings.lock(binding_id, org_id)
            if binding is None or grant is None:
                raise NotFound
            if binding.grant_id == grant.id:
                return binding, grant

    async def _record_cleanup(
        self, tx: Transaction, binding: Binding, grant: Grant, *, revoke: bool
    ) -> Cleanup:
        """Record the remote cleanup; its outcome is `impossible` if no token can carry it out."""
        cleanup = await tx.cleanups.add(
            NewCleanup(
                kind=CleanupKind.REVOKE if revoke else CleanupKind.DELETE_CONNECTION,
                org_id=binding.org_id,
                grant_id=grant.id,
                binding_id=binding.id,
                xero_user_id=grant.xero_user_id,
                tenant_id=binding.tenant_id,
                connection_id=binding.connection_id,
            )
        )
        if revoke:
            await tx.grants.revoke(grant.id)
        unreachable = not revoke and binding.connection_id is None
        if grant.status is not GrantStatus.ACTIVE or unreachable:
            await self.cleanups.record_outcome(tx, cleanup, CleanupOutcome.IMPOSSIBLE)
            return replace(cleanup, outcome=CleanupOutcome.IMPOSSIBLE)
        return cleanup

    async def _execute_cleanup(self, cleanup: Cleanup) -> Remote:
        if cleanup.outcome is not None:
            return _remote_state(cleanup.outcome)
        work = self.background.start(self.cleanups.execute(cleanup.id))
        try:
            async with asyncio.timeout(DISCONNECT_WAIT_SECONDS):
                outcome = await asyncio.shield(work)
        except (TimeoutError, IntegrationError):
            outcome = None  # revoked here; upkeep retries the cleanup
        return _remote_state(outcome)

    async def disconnect_unused(self, grant_id: UUID) -> None:
        """Revoke a grant on which no binding rests, as the disconnect of its last binding does.

        The tokens of a grant that Xero ended cannot revoke anything and are erased at once.
        """
        async with self.database.transaction() as tx:
            grant = await tx.grants.lock(grant_id)
            if grant is None or grant.status is GrantStatus.REVOKED:
                return
            if await tx.bindings.resting_on(grant_id):
                return
            await tx.grants.revoke(grant_id)
            cleanup = await tx.cleanups.add(
                NewCleanup(CleanupKind.REVOKE, grant.org_id, grant_id, grant.xero_user_id)
            )
            await tx.audit.add(
                AuditEvent(SYSTEM, AuditAction.GRANT_UNUSED, org_id=grant.org_id, grant_id=grant_id)
            )
            if grant.status is not GrantStatus.ACTIVE:
                await self.cleanups.record_outcome(tx, cleanup, CleanupOutcome.IMPOSSIBLE)
        await self.cleanups.execute(cleanup.id)


def _describe_repeat(record: BindingRecord, grant: Grant, cleanup: Cleanup | None) -> Disconnected:
    revoked = cleanup is not None and cleanup.kind is CleanupKind.REVOKE
    outcome = cleanup.outcome if cleanup else CleanupOutcome.DONE
    grant_revoked = revoked and grant.status is GrantStatus.REVOKED
    return Disconnected(record.bound.binding.id, grant_revoked, _remote_state(outcome), record)


def _remote_state(outcome: CleanupOutcome | None) -> Remote:
    if outcome is None:
        return "pending"
    return "impossible" if outcome is CleanupOutcome.IMPOSSIBLE else "done"
