"""Xero's adapter over a transport of its own: against prepared bytes, or the sandbox."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import APP
from tests.xero.requests import Visit
from xero_sandbox.client import SandboxClient
from xero_service.jwks import KeySet
from xero_service.xero.adapter import XeroAdapter
from xero_service.xero.http import HttpClient
from xero_service.xero.oauth import XeroEndpoints

XERO = XeroEndpoints(
    authorize_url="https://login.xero.com/identity/connect/authorize",
    token_url="https://identity.xero.com/connect/token",
    revocation_url="https://identity.xero.com/connect/revocation",
    issuer="https://identity.xero.com",
    api_url="https://api.xero.com",
    client_id="91E5715B1199038080D6D0296EBC1648",
    client_secret="kJ8-canary_9f3b",
    redirect_uri="https://api.example.com/api/integrations/xero/callback?a=1&b=ü",
    scopes=("openid", "offline_access", "accounting.settings.read"),
)


@pytest.fixture
async def transport() -> AsyncIterator[HttpClient]:
    async with HttpClient(timeout=5) as opened:
        yield opened


@pytest.fixture
def adapter(transport: HttpClient) -> XeroAdapter:
    """The adapter, speaking to the real Xero's addresses."""

    async def no_keys() -> object:
        raise AssertionError("No key is needed here.")

    return XeroAdapter(XERO, transport, transport, KeySet(no_keys))


@pytest.fixture
def sandboxed(transport: HttpClient, sandbox: SandboxClient) -> XeroAdapter:
    """The adapter, speaking to the sandbox."""
    base = sandbox.base_url
    endpoints = XeroEndpoints(
        authorize_url=f"{base}/login/identity/connect/authorize",
        token_url=f"{base}/identity/connect/token",
        revocation_url=f"{base}/identity/connect/revocation",
        issuer=f"{base}/identity",
        api_url=f"{base}/api",
        client_id=APP.client_id,
        client_secret=APP.client_secret,
        redirect_uri="http://localhost:8000/api/integrations/xero/callback",
        scopes=("openid", "profile", "email", "offline_access", "accounting.settings.read"),
    )
    jwks = f"{base}/identity/.well-known/openid-configuration/jwks"
    return XeroAdapter(endpoints, transport, transport, KeySet(lambda: transport.get_json(jwks)))


@pytest.fixture
def visit(sandboxed: XeroAdapter, sandbox: SandboxClient) -> Visit:
    return Visit(sandboxed, sandbox)
