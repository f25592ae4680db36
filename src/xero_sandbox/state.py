"""The state of one sandbox: every part of it, wired together, and its reset."""

from typing import TYPE_CHECKING

from xero_sandbox.accounting_data import AccountingData
from xero_sandbox.clock import Clock
from xero_sandbox.config import SandboxConfig
from xero_sandbox.connections import Connections
from xero_sandbox.consent import ConsentFlow
from xero_sandbox.directory import Directory
from xero_sandbox.fault_registry import Faults
from xero_sandbox.grants import Grants
from xero_sandbox.journal import Journal
from xero_sandbox.rate_limits import RateLimits
from xero_sandbox.session_issuer import SessionIssuer
from xero_sandbox.signing_keys import SigningKeys
from xero_sandbox.switches import Switches
from xero_sandbox.token_minting import TokenMinter
from xero_sandbox.webhooks import Webhooks

if TYPE_CHECKING:
    from xero_sandbox.authorize_request import AuthorizeRequest


class SandboxState:
    """The state of one sandbox. Only its event loop uses it, and no change spans an await."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.clock = Clock()
        self.switches = Switches()
        self.keys = SigningKeys()
        self.session_issuer = SessionIssuer(config.session_issuer)
        self.directory = Directory()
        self.accounting_data = AccountingData()
        self.journal = Journal(self.clock)
        self.faults = Faults()
        self.rate_limits = RateLimits(self.clock, self.switches)
        self.minter = TokenMinter(config, self.clock, self.keys, self.switches)
        self.connections = Connections(self.clock, self.directory, self.switches)
        self.grants = Grants(self.clock, self.minter, self.connections, self.switches)
        self.consent_flow = ConsentFlow(self.directory, self.connections, self.grants)
        self.webhooks = Webhooks(config, self.clock, self.switches)
        self.attempts: dict[str, AuthorizeRequest] = {}
        self.latency = 0.0

    @property
    def broad_scopes_in_force(self) -> bool:
        """Whether the day has not come on which Xero ends the broad scopes (facts §6)."""
        return self.clock.now() < self.switches.broad_scopes_end.timestamp()

    async def reset(self) -> None:
        """Return to the sample state; signing keys stay, because clients cache them."""
        await self.faults.clear()
        await self.webhooks.reset()
        self.latency = 0.0
        self.attempts.clear()
        for part in (
            self.clock,
            self.switches,
            self.session_issuer,
            self.directory,
            self.accounting_data,
            self.connections,
            self.grants,
            self.rate_limits,
            self.journal,
        ):
            part.reset()
