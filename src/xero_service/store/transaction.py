"""A transaction: one repository for each table, all on one connection."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncConnection

from xero_service.store.audit import AuditLog
from xero_service.store.authorisations import Authorisations
from xero_service.store.binding_warnings import BindingWarnings
from xero_service.store.bindings import Bindings
from xero_service.store.ciphertexts import Ciphertexts
from xero_service.store.database_marks import DatabaseMarks
from xero_service.store.events import Events
from xero_service.store.grant_refreshes import GrantRefreshes
from xero_service.store.grants import Grants
from xero_service.store.leases import Leases
from xero_service.store.notices import Notices
from xero_service.store.remote_cleanups import RemoteCleanups
from xero_service.store.replicas import Replicas
from xero_service.store.service_keys import ServiceKeys
from xero_service.store.state_summary import StateSummaries
from xero_service.store.suspensions import Suspensions
from xero_service.store.tenant_limits import TenantLimits
from xero_service.store.unsubscribes import Unsubscribes
from xero_service.store.upkeep_queue import UpkeepQueue
from xero_service.store.verdict_hold import VerdictHolds
from xero_service.store.verification_tokens import VerificationTokens
from xero_service.store.webhook_deliveries import WebhookDeliveries
from xero_service.store.webhook_endpoints import WebhookEndpoints
from xero_service.store.xero_sequence import XeroSequence


@dataclass(frozen=True)
class Transaction:
    """The repositories, all on one connection; leaving the block commits."""

    connection: AsyncConnection

    @cached_property
    def grants(self) -> Grants:
        """Grants and their sealed token sets."""
        return Grants(self.connection)

    @cached_property
    def grant_refreshes(self) -> GrantRefreshes:
        """Leases, attempts and rotated token sets of grants."""
        return GrantRefreshes(self.connection)

    @cached_property
    def verdict_hold(self) -> VerdictHolds:
        """The hold on verdicts about refused grants."""
        return VerdictHolds(self.connection)

    @cached_property
    def database_marks(self) -> DatabaseMarks:
        """Which database this is, and which one was last used."""
        return DatabaseMarks(self.connection)

    @cached_property
    def bindings(self) -> Bindings:
        """Tenants linked to orgs."""
        return Bindings(self.connection, self.events)

    @cached_property
    def warnings(self) -> BindingWarnings:
        """Warnings about bindings that only time or the configuration makes true."""
        return BindingWarnings(self.connection, self.events)

    @cached_property
    def suspensions(self) -> Suspensions:
        """Tenants that an operator switched off."""
        return Suspensions(self.connection)

    @cached_property
    def authorisations(self) -> Authorisations:
        """Consents."""
        return Authorisations(self.connection)

    @cached_property
    def attempts(self) -> VerificationTokens:
        """Authorisation attempts under way."""
        return VerificationTokens(self.connection)

    @cached_property
    def cleanups(self) -> RemoteCleanups:
        """Revocations and deletions that Xero has not confirmed."""
        return RemoteCleanups(self.connection)

    @cached_property
    def service_keys(self) -> ServiceKeys:
        """Credentials of internal services."""
        return ServiceKeys(self.connection)

    @cached_property
    def leases(self) -> Leases:
        """Named rights that one process holds at a time."""
        return Leases(self.connection)

    @cached_property
    def replicas(self) -> Replicas:
        """The processes that run, and their code."""
        return Replicas(self.connection)

    @cached_property
    def limits(self) -> TenantLimits:
        """The limits that Xero last reported for tenants."""
        return TenantLimits(self.connection)

    @cached_property
    def upkeep_queue(self) -> UpkeepQueue:
        """Claims of the grants that upkeep works on."""
        return UpkeepQueue(self.connection)

    @cached_property
    def state(self) -> StateSummaries:
        """The figures behind the gauges of state."""
        return StateSummaries(self.connection)

    @cached_property
    def ciphertexts(self) -> Ciphertexts:
        """Every sealed value."""
        return Ciphertexts(self.connection)

    @cached_property
    def events(self) -> Events:
        """Events for other systems, added with the change that they report."""
        return Events(self.connection)

    @cached_property
    def xero_sequence(self) -> XeroSequence:
        """How far Xero's webhooks have come."""
        return XeroSequence(self.connection)

    @cached_property
    def endpoints(self) -> WebhookEndpoints:
        """URLs that receive events."""
        return WebhookEndpoints(self.connection)

    @cached_property
    def deliveries(self) -> WebhookDeliveries:
        """Events that are due at endpoints."""
        return WebhookDeliveries(self.connection, self.endpoints)

    @cached_property
    def notices(self) -> Notices:
        """What people were told about bindings, by mail."""
        return Notices(self.connection)

    @cached_property
    def unsubscribes(self) -> Unsubscribes:
        """Who wants no such mail."""
        return Unsubscribes(self.connection)

    @cached_property
    def audit(self) -> AuditLog:
        """The append-only record."""
        return AuditLog(self.connection, self.events)
