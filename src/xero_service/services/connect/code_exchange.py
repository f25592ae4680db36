"""Exchange an authorization code for a token set: one at a time across replicas, saved at once.

Xero may end a user's earlier token set when it issues a new one (facts §4.2). So exchanges run in
the order of their sets: a lease row serializes them, signing keys are loaded before the code is
sent, no I/O lies between the answer and the commit, and a verified set is always saved, even where
the browser then receives an error.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

from xero_service import failpoints
from xero_service.crypto import KeyRing
from xero_service.domain import (
    ORGANISATION,
    SYSTEM,
    Actor,
    AuditAction,
    AuditEvent,
    Connections,
    Consent,
    Grant,
)
from xero_service.errors import (
    ExchangeFailed,
    ExternalAPIError,
    InsufficientScope,
    IntegrationError,
    NoTenants,
    ServiceBusy,
    XeroMisconfigured,
)
from xero_service.failpoints import Place
from xero_service.services.leases import LeaseManager, fair_lock
from xero_service.services.reconcile.consent_reach import record_reach
from xero_service.services.tokens.refresh_outcomes import seal
from xero_service.store.authorisations import NewAuthorisation
from xero_service.store.database import Database
from xero_service.store.grants import NewGrant
from xero_service.store.transaction import Transaction
from xero_service.telemetry import Metrics, logger
from xero_service.timeouts import EXCHANGE_LEASE_WAIT_SECONDS, SAVE_FOR_SECONDS
from xero_service.xero.adapter import XeroAdapter

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Initiator:
    """The session user who started the flow, and its org."""

    org_id: str
    user_id: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class CodeExchange:
    """Exchanges a code; the token set becomes the one live grant of its Xero user."""

    database: Database
    xero: XeroAdapter
    keys: KeyRing
    metrics: Metrics
    required_scopes: frozenset[str]
    leases: LeaseManager
    org_locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def exchange(self, code: str, verifier: str, nonce: str, initiator: Initiator) -> UUID:
        """Exchange a code, save the set, record what the consent reached; return the grant's id.

        Raises ExchangeFailed where Xero returned no valid set; InsufficientScope or NoTenants
        where the set was saved but the consent does not suffice.
        """
        grant, consent = await self._exchange_and_save(code, verifier, nonce, initiator)
        failpoints.reached(Place.EXCHANGE_SAVED)
        connections = await self._record_connections(grant, consent)
        failpoints.reached(Place.REACH_RECORDED)
        granted = set(consent.tokens.scopes)
        if granted and not self.required_scopes <= granted:
            raise InsufficientScope
        if connections is not None and not any(
            connection.tenant_type == ORGANISATION for connection in connections
        ):
            raise NoTenants
        return grant.id

    async def _exchange_and_save(
        self, code: str, verifier: str, nonce: str, initiator: Initiator
    ) -> tuple[Grant, Consent]:
        try:
            await self.xero.load_signing_keys()
            async with (
                # Each org queues for its own lock, so that it cannot crowd the others out.
                fair_lock(
                    self.org_locks.setdefault(initiator.org_id, asyncio.Lock()),
                    max_wait=EXCHANGE_LEASE_WAIT_SECONDS,
                ),
                self.leases.exchange_lease(max_wait=EXCHANGE_LEASE_WAIT_SECONDS) as began_at,
            ):
                failpoints.reached(Place.EXCHANGE_LEASE_CLAIMED)
                consent = await self.xero.exchange_code(
                    code=code, verifier=verifier, nonce=nonce, now=began_at
                )
                failpoints.reached(Place.EXCHANGE_ANSWERED)
                return await self._save_with_retry(consent, initiator, began_at), consent
        except IntegrationError as error:
            if isinstance(error, XeroMisconfigured):
                self.metrics.alarm("invalid_client")
            log.warning("a code exchange failed", reason=error.code, detail=error.detail)
            raise ExchangeFailed from error

    async def _save_with_retry(
        self, consent: Consent, initiator: Initiator, began_at: datetime
    ) -> Grant:
        """Save the set and return its grant; retry for five minutes if the database fails."""
        authorisation_id, deadline = uuid4(), time.monotonic() + SAVE_FOR_SECONDS
        while True:
            try:
                async with self.database.transaction() as tx:
                    saved = await tx.authorisations.grant_of(authorisation_id)
                    if saved is not None:
                        # An earlier try was committed, but its answer was lost.
                        return saved
                    return await self._save(tx, consent, initiator, began_at, authorisation_id)
            except Exception:
                # Retried after any error: this is the only copy of the set.
                if time.monotonic() > deadline:
                    raise
                log.exception("a new token set waits for the database")
                await asyncio.sleep(0.25)

    async def _save(
        self,
        tx: Transaction,
        consent: Consent,
        initiator: Initiator,
        began_at: datetime,
        authorisation_id: UUID,
    ) -> Grant:
        """Supersede every earlier grant of the Xero user by one with this set (design: rule 1)."""
        await tx.grants.lock_xero_user(consent.xero_user_id)
        newest = await tx.authorisations.newest_exchange(consent.xero_user_id)
        if newest is not None and newest.comes_after(began_at, consent.issued_at):
            # Our lease expired, and Xero issued a later set to another holder: that one is live.
            grant_id = newest.grant_id
        else:
            grant_id = uuid4()
            old = await tx.grants.supersede(
                NewGrant(
                    id=grant_id,
                    org_id=initiator.org_id,
                    user_id=initiator.user_id,
                    xero_user_id=consent.xero_user_id,
                    scopes=consent.tokens.scopes,
                    tokens=seal(self.keys, grant_id, consent.tokens, requested_at=began_at),
                )
            )
            superseded = [each for each, _ in old]
            await tx.bindings.move(superseded, grant_id)
            await tx.authorisations.carry_over(superseded, grant_id)
            await tx.cleanups.cancel_revocations(consent.xero_user_id)
            await tx.audit.extend([_superseded_event(initiator, *each, grant_id) for each in old])
        authorisation = self._authorisation(
            consent, initiator, began_at, grant_id, authorisation_id
        )
        await tx.authorisations.add(authorisation)
        await tx.audit.add(
            AuditEvent(
                initiator.actor,
                AuditAction.GRANT_CONNECTED,
                org_id=initiator.org_id,
                grant_id=grant_id,
            )
        )
        grant = await tx.grants.get(grant_id)
        assert grant is not None  # noqa: S101 - written in this transaction
        return grant

    def _authorisation(
        self,
        consent: Consent,
        initiator: Initiator,
        began_at: datetime,
        grant_id: UUID,
        authorisation_id: UUID,
    ) -> NewAuthorisation:
        return NewAuthorisation(
            id=authorisation_id,
            grant_id=grant_id,
            org_id=initiator.org_id,
            user_id=initiator.user_id,
            event_id=consent.authentication_event_id,
            consenter_enc=self.keys.encrypt_token(
                json.dumps([consent.xero_name, consent.xero_email]),
                f"{authorisation_id}:consenter_enc",
            ),
            exchanged_at=began_at,
            issued_at=consent.issued_at,
        )

    async def _record_connections(self, grant: Grant, consent: Consent) -> Connections | None:
        """Fetch and record what the consent reached; None if Xero fails (upkeep retries)."""
        try:
            connections = await self.xero.get_tenants(consent.tokens.access_token)
            async with self.database.transaction() as tx:
                await record_reach(tx, grant, connections)
        except (ExternalAPIError, ServiceBusy) as error:
            log.warning("connections could not be read after a consent", reason=error.code)
            return None
        return connections


def _superseded_event(initiator: Initiator, old: UUID, org_id: str, new: UUID) -> AuditEvent:
    """Return the event for the superseded grant's org, without the initiator for other orgs."""
    own = org_id == initiator.org_id
    return AuditEvent(
        initiator.actor if own else SYSTEM,
        AuditAction.GRANT_SUPERSEDED,
        org_id=org_id,
        grant_id=old,
        detail={"supersededBy": str(new)} if own else {},
    )
