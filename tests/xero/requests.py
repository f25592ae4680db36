"""A visit to the sandbox's consent page, up to the exchange of its code."""

from urllib.parse import parse_qs, urlsplit

from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING
from xero_service.domain import Consent
from xero_service.xero.adapter import XeroAdapter

VERIFIER = "v" * 64


class Visit:
    """One user at one consent page."""

    def __init__(self, adapter: XeroAdapter, sandbox: SandboxClient) -> None:
        self.adapter = adapter
        self.sandbox = sandbox

    def code(self, *tenants: str) -> str:
        address = self.adapter.get_auth_url(state="s", nonce="nonce-1", verifier=VERIFIER)
        back = self.sandbox.consent(address, ACME_BOOKKEEPER.key, tenants or [ACME_TRADING])
        return parse_qs(urlsplit(back).query)["code"][0]

    async def exchange(
        self, code: str | None = None, *, verifier: str = VERIFIER, nonce: str = "nonce-1"
    ) -> Consent:
        return await self.adapter.exchange_code(
            code=code or self.code(), verifier=verifier, nonce=nonce
        )
