"""One live service for all that is tried on it."""

from collections.abc import Iterator

import pytest

from demo.environment import service_environment
from demo.postgres import Postgres
from tests.conftest import APP, ORIGIN
from tests.fuzz.live import Live, live
from xero_sandbox.client import SandboxClient
from xero_service.settings import Settings


@pytest.fixture(scope="module")
def running(
    postgres_server: Postgres, template: str, shared_sandbox: SandboxClient
) -> Iterator[Live]:
    shared_sandbox.reset()
    url = postgres_server.create_database(template=template)
    with pytest.MonkeyPatch.context() as patch:
        environment = service_environment(
            {},
            origin=ORIGIN,
            sandbox=shared_sandbox.base_url,
            app=APP,
            database_url=url,
            page=None,
        )
        for name, value in environment.items():
            patch.setenv(name, value)
        settings = Settings(_env_file=None)
    with live(settings, shared_sandbox) as started:
        yield started
    postgres_server.drop_database(url)
