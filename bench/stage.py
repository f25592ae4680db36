"""The stage of a benchmark: PostgreSQL, the sandbox and the service as processes, with grants."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from demo import ports, stack
from demo.environment import without_service_variables
from demo.processes import Child, temporary_directory
from demo.stack import LOOPBACK, ROOT, SERVICE, Replica, Stack
from xero_sandbox.client import SandboxClient
from xero_service.app import PREFIX
from xero_service.crypto import KeyRing
from xero_service.settings import parse_key

ORG = "org_bench"
IMPORTING_US = {
    "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
}
"""Environment variables for processes that run modules of `bench`."""
QUIET: Mapping[str, str] = MappingProxyType({"UPKEEP_INTERVAL_SECONDS": "3600"})
"""Settings for benchmarks in which upkeep must not refresh."""
NO_MORE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Seeded:
    """A grant with one binding, known to the service and to the sandbox."""

    grant_id: UUID
    binding_id: UUID
    tenant_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class Stage:
    """A running stack with a service key that may read tokens and call the API."""

    stack: Stack
    sandbox: SandboxClient
    key: str = field(repr=False)

    @property
    def basic_auth(self) -> tuple[str, str]:
        """The client id and secret of the app."""
        environment = self.stack.environment
        return environment["XERO_CLIENT_ID"], environment["XERO_CLIENT_SECRET"]

    def connect(self) -> Any:
        """Return an async context manager of a database connection."""
        return _connected(self.stack.database_url)

    def token_request(self, binding_id: UUID) -> tuple[str, dict[str, str]]:
        """Return the path and headers of a token read."""
        return f"{PREFIX}/bindings/{binding_id}/token", {"authorization": f"Bearer {self.key}"}

    def serve(self, **settings: str) -> Replica:
        """Start another process of the service with these settings."""
        port = ports.free()
        child = Child.start(
            "The service",
            [SERVICE, "serve", "--host", LOOPBACK, "--port", str(port)],
            log=self.stack.directory / f"service-{port}.log",
            env={**self.stack.environment, **settings},
            cwd=self.stack.directory,
        )
        self.stack.children.append(child)
        child.wait_until_answering(f"http://{LOOPBACK}:{port}/readyz")
        return Replica(child, f"http://localhost:{port}")

    async def seed(
        self, count: int, *, expires_in: timedelta = timedelta(minutes=30), days_old: float = 0
    ) -> list[Seeded]:
        """Create grants in sandbox and database; `days_old` is the refresh token's age."""
        keys = KeyRing(parse_key(self.stack.environment["ENCRYPTION_KEY"]))
        made = [
            (Seeded(uuid4(), uuid4(), at["tenantId"], at["accessToken"], at["refreshToken"]), at)
            for at in self.sandbox.seed(count)
        ]
        now = datetime.now(UTC)
        async with self.connect() as database:
            await database.copy_records_to_table(
                "integration_grants",
                columns=_GRANT,
                records=[
                    (
                        new.grant_id,
                        "user_bench",
                        ORG,
                        keys.encrypt_token(new.access_token, f"{new.grant_id}:access_token_enc"),
                        keys.encrypt_token(new.refresh_token, f"{new.grant_id}:refresh_token_enc"),
                        now - timedelta(days=days_old),
                        now + expires_in,
                        at["xeroUserId"],
                        at["scopes"],
                    )
                    for new, at in made
                ],
            )
            await database.copy_records_to_table(
                "integration_tenant_bindings",
                columns=_BINDING,
                records=[
                    (
                        new.binding_id,
                        ORG,
                        new.tenant_id,
                        at["tenantName"],
                        new.grant_id,
                        at["connectionId"],
                        now,
                    )
                    for new, at in made
                ],
            )
            await database.execute("ANALYZE")
        return [new for new, _ in made]

    async def expire(self, grants: Sequence[Seeded]) -> None:
        """Set the access tokens of these grants to expired."""
        async with self.connect() as database:
            await database.execute(
                "UPDATE integration_grants SET expires_at = now() - interval '1 minute'"
                " WHERE id = ANY($1)",
                [each.grant_id for each in grants],
            )


_GRANT = (
    "id",
    "authorised_by_clerk_user_id",
    "clerk_org_id",
    "access_token_enc",
    "refresh_token_enc",
    "refresh_token_issued_at",
    "expires_at",
    "xero_user_id",
    "scopes",
)
_BINDING = (
    "id",
    "clerk_org_id",
    "external_tenant_id",
    "external_tenant_name",
    "active_grant_id",
    "connection_id",
    "last_checked_at",
)


@contextmanager
def ready(
    settings: Mapping[str, str] = NO_MORE, *, replicas: int = 1, page: Path | None = None
) -> Iterator[Stage]:
    """Run a stage whose service has these settings; logs are JSON, as in production.

    The sandbox signs cheaply and has no rate limits, so that it does not become the bottleneck.
    """
    ambient = {
        **without_service_variables(os.environ),
        "LOG_FORMAT": "json",
        "DRAIN_NOTICE_SECONDS": "0",
        **settings,
    }
    with (
        temporary_directory("xero-bench-") as directory,
        stack.running(directory, replicas=replicas, ambient=ambient, page=page) as started,
        SandboxClient(started.sandbox) as sandbox,
    ):
        sandbox.switch(cheapTokens=True, rateLimits=False)
        output = started.command(
            *("keys", "create", "--name", "bench", "--org", ORG),
            *("--scope", "tokens:read", "--scope", "api:call"),
        )
        found = re.search(r"xsk_\w{32}_[\w-]{43}", output)
        assert found, "`keys create` printed no key"
        yield Stage(started, sandbox, found[0])


class _connected:  # noqa: N801 - it is used like the function that opens a file
    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = await asyncpg.connect(self._url)
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()
