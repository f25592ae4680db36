"""One sandbox for the whole run, back in its sample state for every test."""

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.sample_app import SampleApp
from xero_sandbox.client import SandboxClient
from xero_sandbox.testing import running_sandbox


@pytest.fixture(scope="session")
def _running() -> Iterator[SandboxClient]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running: SandboxClient) -> SandboxClient:
    _running.reset()
    _running.freeze()
    return _running


@pytest.fixture
def http(sandbox: SandboxClient) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.base_url, trust_env=False) as client:
        yield client


@pytest.fixture
def app(sandbox: SandboxClient, http: httpx.Client) -> SampleApp:
    return SampleApp(sandbox, http)
