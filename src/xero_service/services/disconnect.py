"""Disconnecting: here at once, at Xero as soon as Xero answers, and never a later consent's."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal
from uuid import UUID

from xero_service import failpoints
from xero_service.domain import (
    SYSTEM,
    Actor,
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
    AccessRefused,
    IntegrationError,
    NotFound,
    ReauthorizationRequired,
    ServiceBusy,
    XeroSilent,
)
from xero_service.failpoints import Place
from xero_service.services.leasing import LOOK_AGAIN_SECONDS, Leaseholder
from xero_service.services.tokens import TokenService
from xero_service.singleflight import BackgroundWork
from xero_service.store.database import Database, Transaction
from xero_service.store.remote_cleanups import NewCleanup
from xero_service.telemetry import logger
from xero_service.xero.adapter import XeroAdapter

WAIT_FOR_XERO_SECONDS = 5.0
WAIT_FOR_LEASE_SECONDS = 35.0
WAIT_FOR_TURN_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 300.0

log = logger(__name__)


Remote = Literal["done", "pending", "impossible"]


@dataclass(frozen=True, slots=True)
class Disconnected:
    """What a disconnect did here, and how far it has come at Xero."""

    binding_id: UUID
    grant_revoked: bool
    remote: Remote


@dataclass(frozen=True, slots=True)
class DisconnectService:
    """Ends bindings and, once nothing rests on them, grants."""

    database: Database
    xero: XeroAdapter
    tokens: TokenService
    leases: Leaseholder
    background: BackgroundWork
    # Revocations one at a time: the turn that each takes is the one that consents wait for.
    revoking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def disconnect(self, binding_id: UUID, org_id: str, actor: Actor) -> Disconnected:
        """End one of the org's bindings; waits for Xero a few seconds at most.

        Repeating it is harmless. Raises NotFound.
        """
        async with self.database.transaction() as tx:
            binding, grant = await self._locked(tx, binding_id, org_id)
            if binding.status is BindingStatus.REVOKED:
                return _repeated(binding, grant, await tx.cleanups.last_of_binding(binding.id))
            await tx.bindings.revoke(binding.id)
            last = not await tx.bindings.resting_on(
                grant.id
            ) and not await tx.authorisations.awaits_selection(grant.id, other_than=org_id)
            cleanup = await self._owe(tx, binding, grant, revoke=last)
            await tx.audit.add(
                AuditEvent(
                    actor,
                    "binding.disconnected",
                    org_id=org_id,
                    binding_id=binding.id,
                    grant_id=grant.id,
                    tenant_id=binding.tenant_id,
                    detail={"grantRevoked": last},
                )
            )
        failpoints.reached(Place.DISCONNECT_COMMITTED)
        return Disconnected(binding_id, last, await self._settled_soon(cleanup))

    async def _locked(
        self, tx: Transaction, binding_id: UUID, org_id: str
    ) -> tuple[Binding, Grant]:
        """Lock the grant, then the binding: the order that everybody keeps."""
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

    async def _owe(
        self, tx: Transaction, binding: Binding, grant: Grant, *, revoke: bool
    ) -> Cleanup:
        """Record what Xero must still be told; at once impossible where no token can say it."""
        cleanup = await tx.cleanups.owe(
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
            await self._end(tx, cleanup, CleanupOutcome.IMPOSSIBLE)
            return replace(cleanup, outcome=CleanupOutcome.IMPOSSIBLE)
        return cleanup

    async def _settled_soon(self, cleanup: Cleanup) -> Remote:
        if cleanup.outcome is not None:
            return _remote(cleanup.outcome)
        work = self.background.start(self.settle(cleanup.id))
        try:
            async with asyncio.timeout(WAIT_FOR_XERO_SECONDS):
                outcome = await asyncio.shield(work)
        except (TimeoutError, IntegrationError):
            outcome = None  # ended here all the same; upkeep goes on
        return _remote(outcome)

    async def disconnect_unused(self, grant_id: UUID) -> None:
        """Revoke a grant on which nothing rests, as if its last binding had just ended."""
        async with self.database.transaction() as tx:
            grant = await tx.grants.lock(grant_id)
            if grant is None or grant.status is not GrantStatus.ACTIVE:
                return
            if await tx.bindings.resting_on(grant_id):
                return
            await tx.grants.revoke(grant_id)
            cleanup = await tx.cleanups.owe(
                NewCleanup(CleanupKind.REVOKE, grant.org_id, grant_id, grant.xero_user_id)
            )
            await tx.audit.add(
                AuditEvent(SYSTEM, "grant.unused", org_id=grant.org_id, grant_id=grant_id)
            )
        await self.settle(cleanup.id)

    async def settle(self, cleanup_id: UUID) -> CleanupOutcome | None:
        """Do at Xero what is owed; None where it must be tried again later.

        Harmless to call at any time, from anywhere: who comes second finds it done.
        """
        async with self.database.transaction() as tx:
            cleanup = await tx.cleanups.lock_owed(cleanup_id)
        if cleanup is None:
            return CleanupOutcome.DONE
        try:
            if cleanup.kind is CleanupKind.REVOKE:
                return await self._revoke(cleanup)
            return await self._delete_connection(cleanup)
        except ReauthorizationRequired:
            outcome: CleanupOutcome | None = CleanupOutcome.IMPOSSIBLE
        except IntegrationError as error:
            log.warning("a disconnect at xero is still owed", reason=error.code, kind=cleanup.kind)
            outcome = None
        async with self.database.transaction() as tx:
            if outcome is None:
                await tx.cleanups.postpone(cleanup.id, _backoff(cleanup.attempts))
            else:
                await self._end(tx, cleanup, outcome)
        return outcome

    async def _revoke(self, cleanup: Cleanup) -> CleanupOutcome:
        """Revoke with the newest token set, while nobody refreshes it or consents anew."""
        await self.tokens.refresher.settle_interrupted(cleanup.grant_id)
        # The turn last, and briefly: every consent waits for it.
        async with (
            self._one_revocation(),
            self.leases.grant(cleanup.grant_id, patience=WAIT_FOR_LEASE_SECONDS) as grant,
            self.leases.exchange_turn(patience=WAIT_FOR_TURN_SECONDS),
        ):
            if not await self._is_still_owed(cleanup):
                return CleanupOutcome.CANCELLED
            if grant.refresh_sent_at is not None:
                raise ServiceBusy("A refresh of this grant has no answer yet.")
            if grant.refresh_token_enc is not None:
                async with self._within_the_lease():
                    await self.xero.revoke_token(self.tokens.refresh_token(grant))
            failpoints.reached(Place.REVOCATION_ANSWERED)
            async with self.database.transaction() as tx:
                await self._end(tx, cleanup, CleanupOutcome.DONE)
                # All connections of the user went with it (facts §1.9).
                await tx.cleanups.finish_deletions(cleanup.grant_id)
            failpoints.reached(Place.CLEANUP_COMMITTED)
        return CleanupOutcome.DONE

    async def _delete_connection(self, cleanup: Cleanup) -> CleanupOutcome:
        """Delete one connection with a live token; the Xero user's other tenants go on."""
        current = await self._able_to_delete(cleanup)
        async with self.leases.grant(current.id, patience=WAIT_FOR_LEASE_SECONDS) as grant:
            if not await self._is_still_owed(cleanup):
                return CleanupOutcome.CANCELLED
            async with self._within_the_lease():
                await self._delete_or_find_gone(self.tokens.access_token(grant), cleanup)
            failpoints.reached(Place.DELETION_ANSWERED)
            async with self.database.transaction() as tx:
                await self._end(tx, cleanup, CleanupOutcome.DONE)
        return CleanupOutcome.DONE

    async def _able_to_delete(self, cleanup: Cleanup) -> Grant:
        """Return the grant that can delete; wait where its revocation will do the same."""
        try:
            current = await self.tokens.refresher.current(cleanup.grant_id)
        except ReauthorizationRequired:
            async with self.database.transaction() as tx:
                if await tx.cleanups.owes_revocation(cleanup.xero_user_id):
                    raise ServiceBusy("The grant is about to be revoked.") from None
            raise
        if current.valid_for() < timedelta(minutes=1):
            current = await self.tokens.refresh_grant_single_flight(current.id)
        return current

    async def _delete_or_find_gone(self, access_token: str, cleanup: Cleanup) -> None:
        try:
            await self.xero.delete_connection(access_token, cleanup.connection_id or "")
        except AccessRefused:
            # 403 stands for an id that is not this user's any more, too (facts §1.11).
            connections = await self.xero.get_tenants(access_token)
            if any(c.connection_id == cleanup.connection_id for c in connections):
                raise

    @asynccontextmanager
    async def _one_revocation(self) -> AsyncIterator[None]:
        """Keep revocations apart, with room between two for a consent to take its turn."""
        await self.revoking.acquire()
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(3 * LOOK_AGAIN_SECONDS, self.revoking.release)

    @asynccontextmanager
    async def _within_the_lease(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.leases.call_seconds):
                yield
        except TimeoutError as error:
            raise XeroSilent("Xero took too long over a disconnect.") from error

    async def _is_still_owed(self, cleanup: Cleanup) -> bool:
        async with self.database.transaction() as tx:
            return await tx.cleanups.lock_owed(cleanup.id) is not None

    async def _end(self, tx: Transaction, cleanup: Cleanup, outcome: CleanupOutcome) -> None:
        """Note the outcome; the tokens of a revoked grant have nothing left to do."""
        if cleanup.kind is CleanupKind.REVOKE:
            await tx.grants.erase_tokens(cleanup.grant_id)
        await tx.cleanups.finish(cleanup.id, outcome)
        await tx.audit.add(
            AuditEvent(
                SYSTEM,
                f"remote.{cleanup.kind}",
                outcome.value,
                org_id=cleanup.org_id,
                grant_id=cleanup.grant_id,
            )
        )


def _repeated(binding: Binding, grant: Grant, cleanup: Cleanup | None) -> Disconnected:
    revoked = cleanup is not None and cleanup.kind is CleanupKind.REVOKE
    outcome = cleanup.outcome if cleanup else CleanupOutcome.DONE
    return Disconnected(
        binding.id, revoked and grant.status is GrantStatus.REVOKED, _remote(outcome)
    )


def _remote(outcome: CleanupOutcome | None) -> Remote:
    if outcome is None:
        return "pending"
    return "impossible" if outcome is CleanupOutcome.IMPOSSIBLE else "done"


def _backoff(attempts: int) -> timedelta:
    ceiling = min(2.0 ** min(attempts + 1, 12), LONGEST_RETRY_SECONDS)
    return timedelta(seconds=1 + random.uniform(0, ceiling))  # noqa: S311
