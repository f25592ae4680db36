"""A raw host in Xero's place, the transport that calls it, and an org that uses both."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.concurrency.conftest import process_environment as process_environment
from tests.concurrency.conftest import replica as replica
from tests.service_api.conftest import billing as billing
from tests.service_api.conftest import connected as connected
from tests.service_api.conftest import environment as environment
from tests.streams.raw_upstream import RawUpstream
from tests.world import Application
from xero_service.xero.http import HttpClient


@pytest.fixture
async def upstream() -> AsyncIterator[RawUpstream]:
    async with RawUpstream.listening() as listening:
        yield listening


@pytest.fixture
async def transport() -> AsyncIterator[HttpClient]:
    async with HttpClient(timeout=5) as opened:
        yield opened


@pytest.fixture
async def calling_upstream(application: Application, upstream: RawUpstream) -> RawUpstream:
    """The raw host, which the proxy of the application in this process calls."""
    services = application.services
    proxy = replace(services.proxy, api_url=upstream.url)
    application.app.state.services = replace(services, proxy=proxy)
    return upstream
