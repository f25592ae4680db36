"""Builds every object of the service once, and closes them in reverse order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

from xero_service.background import BackgroundWork
from xero_service.crypto import KeyRing
from xero_service.domain import Grant
from xero_service.errors import ServiceBusy
from xero_service.jwks import KeySet, published_issuer
from xero_service.outbound.mailer import Mailer
from xero_service.outbound.webhook_sender import WebhookSender
from xero_service.services.activity import ActivityService
from xero_service.services.bindings import BindingsService
from xero_service.services.connect.code_exchange import CodeExchange
from xero_service.services.connect.flow import ConnectService
from xero_service.services.connect.reconnects import ReconnectService
from xero_service.services.connect.tenants import TenantsService
from xero_service.services.database_watch import DatabaseWatch
from xero_service.services.disconnect.remote_cleanup import CleanupService
from xero_service.services.disconnect.service import DisconnectService
from xero_service.services.events.delivery import DeliveryService
from xero_service.services.events.endpoints import EndpointService
from xero_service.services.events.notices import NoticeService, NoticeSettings
from xero_service.services.events.outbox import Outbox
from xero_service.services.events.unsubscribing import UnsubscribeService
from xero_service.services.events.xero_webhooks import XeroWebhookService
from xero_service.services.key_rotation import KeyCheck, RewrapService
from xero_service.services.leases import LeaseManager
from xero_service.services.operators.service import OperatorService
from xero_service.services.operators.state_metrics import StateMetrics
from xero_service.services.proxy.bodies import BodyBudget
from xero_service.services.proxy.rate_limiter import TenantRateLimiter
from xero_service.services.proxy.service import ProxyService
from xero_service.services.reconcile.org_check import OrgCheck
from xero_service.services.reconcile.service import ReconcileService
from xero_service.services.replicas import ReplicaService
from xero_service.services.restore import RestoreService
from xero_service.services.service_keys.authorization import ServiceAuthorizer
from xero_service.services.service_keys.keys import KeyService
from xero_service.services.tokens.issuer import TokenIssuer
from xero_service.services.tokens.refresh import TokenRefresher
from xero_service.services.tokens.refresh_outcomes import RefreshOutcomes
from xero_service.services.tokens.service import TokenService
from xero_service.services.tokens.verdicts import Verdicts
from xero_service.services.upkeep import UpkeepService
from xero_service.settings import Settings
from xero_service.single_flight import SingleFlight
from xero_service.store import migrations
from xero_service.store.database import Database
from xero_service.store.rate_limits import RateLimits
from xero_service.store.service_lookup import ServiceLookup
from xero_service.store.transaction import Transaction
from xero_service.telemetry import Metrics
from xero_service.telemetry.database_pools import DatabasePools
from xero_service.timeouts import DRAIN_SECONDS, ISSUER_SECONDS
from xero_service.xero.adapter import XeroAdapter
from xero_service.xero.http import HttpClient
from xero_service.xero.oauth import XeroEndpoints

KEY_CHECK_SECONDS = 2.0
FIRST_CHECK_SECONDS = 10.0  # a silent host fails after CONNECT_SECONDS, one that refuses at once
UNSUBSCRIBE_PATH = "/api/integrations/xero/notices/unsubscribe"


@dataclass(frozen=True, slots=True)
class Services:
    """The services that routers and commands may use."""

    settings: Settings
    database: Database
    xero: XeroAdapter
    session_keys: KeySet
    session_issuer: Callable[[], Awaitable[str | None]]
    connect: ConnectService
    tenants: TenantsService
    bindings: BindingsService
    tokens: TokenService
    org_check: OrgCheck
    disconnects: DisconnectService
    keys: KeyService
    authorizer: ServiceAuthorizer
    token_issuer: TokenIssuer
    proxy: ProxyService
    activity: ActivityService
    outbox: Outbox
    xero_webhooks: XeroWebhookService
    webhooks: EndpointService
    deliveries: DeliveryService
    notices: NoticeService
    unsubscribing: UnsubscribeService
    operators: OperatorService
    key_rotation: RewrapService
    upkeep: UpkeepService
    restore: RestoreService
    replicas: ReplicaService
    metrics: Metrics
    state_metrics: StateMetrics


@dataclass(frozen=True, slots=True)
class _Outbound:
    """HTTP clients with separate connection pools, so that one slow host blocks no other."""

    connections: HttpClient
    revocations: HttpClient
    signing_keys: HttpClient
    tokens: HttpClient
    issuer: HttpClient
    api: HttpClient
    webhooks: WebhookSender


@asynccontextmanager
async def services(settings: Settings, metrics: Metrics | None = None) -> AsyncIterator[Services]:
    """Build the services; on exit, finish background work before anything closes."""
    metrics = metrics or Metrics()
    async with AsyncExitStack() as stack:

        async def xero(area: str) -> HttpClient:
            client = HttpClient(timeout=settings.xero_timeout_seconds, calls=metrics.xero.of(area))
            return await stack.enter_async_context(client)

        outbound = _Outbound(
            connections=await xero("connections"),
            revocations=await xero("revocation"),
            signing_keys=await xero("signing_keys"),
            tokens=await xero("token"),
            issuer=await stack.enter_async_context(HttpClient(timeout=ISSUER_SECONDS)),
            api=await xero("api"),
            webhooks=WebhookSender(),
        )
        stack.push_async_callback(outbound.webhooks.close)
        keys = KeyRing(*_current_and_previous(settings), alarm=metrics.ciphertext_unreadable)
        database = _database(settings, keys, metrics.pools)
        database.on_events(metrics.events_written)
        stack.push_async_callback(database.close)
        watch = DatabaseWatch(database, metrics)
        database.on_audit(watch.remember)
        replicas = ReplicaService(database, watch)
        stack.push_async_callback(replicas.withdraw)  # after background work, which uses the schema
        background = BackgroundWork()
        stack.push_async_callback(background.drain, DRAIN_SECONDS)
        yield _assemble(settings, metrics, outbound, database, keys, background, replicas)


async def check_key(settings: Settings) -> None:
    """Raise ConfigError where ENCRYPTION_KEY decrypts none of the stored secrets, and for old code.

    Without a timely response of the database, each process checks at its first connection.
    """
    database = _database(settings, KeyRing(*_current_and_previous(settings)))
    try:
        with suppress(ServiceBusy, TimeoutError):
            async with asyncio.timeout(KEY_CHECK_SECONDS):
                await database.check()
    finally:
        await database.close()


async def check_before_serving(database: Database) -> None:
    """Run the first check before the port opens, so that no request waits for another one's check.

    A load balancer may send requests as soon as the port is open, before /readyz has answered.
    Where the database gives no timely response or the check fails, the process starts all the same;
    its requests are answered 503 until a check has passed.
    """
    with suppress(ServiceBusy, TimeoutError):
        async with asyncio.timeout(FIRST_CHECK_SECONDS):
            await database.require_checked()


def _database(settings: Settings, keys: KeyRing, metrics: DatabasePools | None = None) -> Database:
    database = Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        prepared_statements=settings.database_prepared_statements,
        metrics=metrics,
    )
    key_check = KeyCheck(keys)

    async def first_check(tx: Transaction) -> None:
        migrations.require_recent_code(await database.schema_state())
        await key_check(tx)

    database.check_first(first_check)
    return database


def _assemble(
    settings: Settings,
    metrics: Metrics,
    outbound: _Outbound,
    database: Database,
    keys: KeyRing,
    background: BackgroundWork,
    replicas: ReplicaService,
) -> Services:
    policy = settings.refresh_policy()
    xero = XeroAdapter(
        _endpoints(settings),
        outbound.connections,
        outbound.tokens,
        KeySet(lambda: outbound.signing_keys.get_json(settings.xero_jwks_url)),
        outbound.revocations,
    )
    leases = LeaseManager(database, ttl=_lease_ttl(settings))
    watch = replicas.database_watch
    verdicts = Verdicts(database, watch, policy, metrics)
    outcomes = RefreshOutcomes(database, keys, policy, verdicts, metrics)
    refresher = TokenRefresher(database, xero, keys, policy, outcomes, background)
    flights = SingleFlight[UUID, Grant](background)
    tokens = TokenService(database, xero, keys, policy, refresher, flights)
    exchange = CodeExchange(database, xero, keys, metrics, frozenset(settings.xero_scopes), leases)
    reconcile = ReconcileService(
        database, xero, tokens, background, SingleFlight[UUID, None](background)
    )
    org_check = OrgCheck(database, tokens, reconcile)
    authorizer = ServiceAuthorizer(database, background, ServiceLookup(database, background))
    cleanups = CleanupService(database, xero, tokens, leases)
    bindings = BindingsService(database, keys, policy, settings.xero_scopes)
    tenants = TenantsService(database, tokens, reconcile, leases, bindings)
    disconnects = DisconnectService(database, cleanups, background, bindings)
    activity = ActivityService(database)
    outbox = Outbox(database)
    webhooks = EndpointService(database, keys, outbound.webhooks)
    deliveries = DeliveryService(database, outbound.webhooks, keys, metrics, background)
    unsubscribing = UnsubscribeService(database, keys)
    notices = NoticeService(
        database,
        _mailer(settings),
        keys,
        _notice_settings(settings),
        unsubscribing,
        metrics,
        background,
    )
    service_keys = KeyService(database)
    upkeep = UpkeepService(
        database,
        watch,
        tokens,
        disconnects,
        cleanups,
        reconcile,
        activity,
        outbox,
        deliveries,
        notices,
        policy,
        settings.audit_retention,
        settings.events_retention,
        settings.xero_scopes,
        metrics,
    )
    return Services(
        settings=settings,
        database=database,
        xero=xero,
        session_keys=KeySet(lambda: outbound.issuer.get_json(settings.auth_jwks_url)),
        session_issuer=partial(published_issuer, outbound.issuer.get_json, settings.auth_issuer),
        connect=ConnectService(
            database,
            xero,
            keys,
            exchange,
            ReconnectService(database, tenants, background),
            background,
            settings.xero_issuer,
        ),
        tenants=tenants,
        bindings=bindings,
        tokens=tokens,
        org_check=org_check,
        disconnects=disconnects,
        keys=service_keys,
        authorizer=authorizer,
        token_issuer=TokenIssuer(database, authorizer, tokens, SingleFlight(background)),
        proxy=ProxyService(
            authorizer,
            tokens,
            TenantRateLimiter(RateLimits(database), background),
            reconcile,
            outbound.api,
            settings.xero_api_url.rstrip("/"),
            BodyBudget(),
            settings.xero_scopes,
        ),
        activity=activity,
        outbox=outbox,
        xero_webhooks=XeroWebhookService(database, settings.webhook_keys(), metrics),
        webhooks=webhooks,
        deliveries=deliveries,
        notices=notices,
        unsubscribing=unsubscribing,
        operators=OperatorService(
            database, tokens, disconnects, service_keys, webhooks, settings.xero_scopes
        ),
        key_rotation=RewrapService(database, keys),
        upkeep=upkeep,
        restore=RestoreService(database, upkeep),
        replicas=replicas,
        metrics=metrics,
        state_metrics=StateMetrics(database, metrics, background),
    )


def _mailer(settings: Settings) -> Mailer | None:
    server = settings.smtp_server()
    host = urlsplit(settings.public_url).hostname
    return None if server is None else Mailer(server, own_name=host or "localhost")


def _notice_settings(settings: Settings) -> NoticeSettings:
    return NoticeSettings(
        sender=settings.notices_from or "",
        team=settings.notices_to,
        frontend_url=settings.frontend_url,
        unsubscribe_url=f"{settings.public_url}{UNSUBSCRIBE_PATH}",
    )


def _current_and_previous(settings: Settings) -> tuple[bytes, tuple[bytes, ...]]:
    current, *previous = settings.encryption_keys()
    return current, tuple(previous)


def _lease_ttl(settings: Settings) -> timedelta:
    """Return the time for one call to Xero and its save, as for a refresh."""
    return timedelta(seconds=settings.refresh_lease_seconds)


def _endpoints(settings: Settings) -> XeroEndpoints:
    return XeroEndpoints(
        authorize_url=settings.xero_authorize_url,
        token_url=settings.xero_token_url,
        revocation_url=settings.xero_revocation_url,
        issuer=settings.xero_issuer,
        api_url=settings.xero_api_url.rstrip("/"),
        client_id=settings.xero_client_id,
        client_secret=settings.xero_client_secret.get_secret_value(),
        redirect_uri=settings.xero_redirect_uri,
        scopes=settings.xero_scopes,
    )
