"""Everything one sandbox remembers, put together."""

from typing import TYPE_CHECKING

from xero_sandbox.clock import Clock
from xero_sandbox.config import SandboxConfig
from xero_sandbox.connections import Connections
from xero_sandbox.consent import ConsentDesk
from xero_sandbox.faults import Faults
from xero_sandbox.grants import Grants
from xero_sandbox.journal import Journal
from xero_sandbox.keys import KeyRing
from xero_sandbox.ledgers import Ledgers
from xero_sandbox.limits import RateLimits
from xero_sandbox.minting import Mint
from xero_sandbox.registry import Registry
from xero_sandbox.sessions import SessionIssuer
from xero_sandbox.switches import Switches

if TYPE_CHECKING:
    from xero_sandbox.authorize import AuthorizeRequest


class World:
    """One sandbox's state. Only its event loop touches it, and no change spans an await."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.clock = Clock()
        self.switches = Switches()
        self.keys = KeyRing()
        self.sessions = SessionIssuer(config.session_issuer)
        self.registry = Registry()
        self.ledgers = Ledgers()
        self.journal = Journal(self.clock)
        self.faults = Faults()
        self.limits = RateLimits(self.clock, self.switches)
        self.mint = Mint(config, self.clock, self.keys, self.switches)
        self.connections = Connections(self.clock, self.registry, self.switches)
        self.grants = Grants(self.clock, self.mint, self.connections, self.switches)
        self.desk = ConsentDesk(self.registry, self.connections, self.grants)
        self.attempts: dict[str, AuthorizeRequest] = {}
        self.latency = 0.0

    async def reset(self) -> None:
        """Return to the sample state; signing keys stay, as clients have cached them."""
        await self.faults.clear()
        self.latency = 0.0
        self.attempts.clear()
        for part in (
            self.clock,
            self.switches,
            self.sessions,
            self.registry,
            self.ledgers,
            self.connections,
            self.grants,
            self.limits,
            self.journal,
        ):
            part.reset()
