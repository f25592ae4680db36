"""Real PostgreSQL, the real application, and the sandbox as Xero; nothing is mocked here."""

import gc
import logging
import os
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from demo import postgres
from demo.environment import XeroApp, service_environment
from demo.postgres import DISPOSABLE, Postgres
from tests.databases import TestDatabases
from tests.pgbouncer import bouncer
from tests.pgbouncer.bouncer import Bouncer
from tests.world import Application, World
from xero_sandbox.client import SandboxClient
from xero_sandbox.config import SandboxConfig
from xero_sandbox.testing import running_sandbox
from xero_service.settings import Settings
from xero_service.store import connection_slots, pools, schema

ORIGIN = "http://localhost:8000"
APP = XeroApp()

# Properties are judged by what they say, not by how fast this machine is.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Keep the garbage collector from walking through all collected tests, again and again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Tracebacks as text: drawn with every local variable, each would cost a second."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False),
        ]
    )


@pytest.fixture(autouse=True)
def logging_as_before(plain_logs: None) -> Iterator[None]:
    """Logging is the process's, and a command sends it to a stream that ends with its test."""
    root, configuration = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**configuration)
    root.handlers, root.level = handlers, level


@pytest.fixture(autouse=True)
def patient_pools(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller waits for a database connection as long as a busy machine needs.

    `real_pool_wait` marks the tests of how long it waits in production (R14).
    """
    if not request.node.get_closest_marker("real_pool_wait"):
        for module in (pools, connection_slots):
            monkeypatch.setattr(module, "POOL_WAIT_SECONDS", 60.0)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres.available(DISPOSABLE) as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres_server: Postgres) -> Iterator[str]:
    """A migrated database of which tests get copies."""
    url = postgres_server.create_database()
    schema.upgrade(url)
    yield urlsplit(url).path[1:]
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def pooler(postgres_server: Postgres) -> Iterator[Bouncer | None]:
    """PgBouncer between the service and its database, where PGBOUNCER=1 says so (R23)."""
    if not os.environ.get("PGBOUNCER"):
        yield None
        return
    with bouncer.running(postgres_server.url) as found:
        yield found


@pytest.fixture(scope="session")
def databases(postgres_server: Postgres, template: str) -> Iterator[TestDatabases]:
    found = TestDatabases(postgres_server, template)
    yield found
    found.close()


@pytest.fixture
def direct_url(databases: TestDatabases, pooler: Bouncer | None) -> Iterator[str]:
    """A database of the test's own, for the test itself to look into."""
    url = databases.acquire()
    yield url
    # A pooler keeps connections to it, which are ended with it.
    (databases.drop if pooler else databases.release)(url)


@pytest.fixture
def database_url(direct_url: str, pooler: Bouncer | None) -> str:
    """The same database, as the service is told."""
    return pooler.url_of(direct_url) if pooler else direct_url


@pytest.fixture(scope="session")
def prepared_statements(pooler: Bouncer | None) -> bool:
    """DATABASE_PREPARED_STATEMENTS."""
    return pooler is None


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[SandboxClient]:
    config = SandboxConfig(client_id=APP.client_id, client_secret=APP.client_secret)
    with running_sandbox(config, host="localhost") as client:
        yield client


@pytest.fixture
def sandbox(shared_sandbox: SandboxClient) -> SandboxClient:
    """Xero and the session issuer, as if just started."""
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def environment(
    database_url: str, sandbox: SandboxClient, prepared_statements: bool
) -> dict[str, str]:
    """The service's whole environment, for processes and settings alike."""
    return service_environment(
        {"DATABASE_PREPARED_STATEMENTS": str(prepared_statements).lower()},
        origin=ORIGIN,
        sandbox=sandbox.base_url,
        app=APP,
        database_url=database_url,
        page=None,
    )


@pytest.fixture
def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


@pytest.fixture
async def application(settings: Settings) -> AsyncIterator[Application]:
    """The service, in this process, without upkeep: a test does a round where it wants one."""
    async with Application.running(settings) as running:
        yield running


@pytest.fixture
async def world(
    application: Application, sandbox: SandboxClient, direct_url: str
) -> AsyncIterator[World]:
    """Everything a journey needs."""
    async with World.around(application, sandbox, direct_url) as around:
        yield around
