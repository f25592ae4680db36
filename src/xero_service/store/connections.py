"""Opens connections to PostgreSQL: every pool, command and migration connects here."""

import os
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode
from weakref import WeakSet

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched

from xero_service import libpq
from xero_service.libpq import Host, Target
from xero_service.timeouts import CONNECT_SECONDS

# Errors after which the next host is tried: unreachable, starting, stopping, or of another role.
_NOT_THIS_HOST = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
    TargetServerAttributeNotMatched,
)


@dataclass(frozen=True, slots=True)
class Connector:
    """Connects to the first host of a target that accepts and matches target_session_attrs."""

    target: Target
    opened: "WeakSet[asyncpg.Connection[asyncpg.Record]]" = field(
        default_factory=WeakSet, repr=False, compare=False
    )

    @classmethod
    def to(cls, url: str, environ: Mapping[str, str] = os.environ) -> "Connector":
        """Return a connector for DATABASE_URL; raises ValueError, see `libpq.read`."""
        return cls(libpq.read(url, environ))

    async def connect(self, **options: Any) -> "asyncpg.Connection[asyncpg.Record]":
        """Open a connection; `options` are asyncpg's, other than host, user and TLS.

        `connect_timeout` applies to each host. Raises the last host's error: OSError, or asyncpg's
        InterfaceError.
        """
        *others, last = self._attempts()
        try:
            for session, host in others:
                with suppress(*_NOT_THIS_HOST):
                    return await self._connect_to(host, session, options)
            session, host = last
            return await self._connect_to(host, session, options)
        except (asyncpg.PostgresError, asyncpg.InternalClientError) as error:
            # No statement was sent: it is an outage, as is a standby that is not promoted yet.
            raise ConnectionRefusedError(str(error)) from error

    def _attempts(self) -> list[tuple[str, Host]]:
        """Return the hosts in the order to try them, each with its target_session_attrs."""
        hosts = list(self.target.hosts)
        if self.target.in_random_order:
            random.shuffle(hosts)
        wanted = self.target.session
        rounds = ("standby", "any") if wanted == "prefer-standby" else (wanted,)
        return [(session, host) for session in rounds for host in hosts]

    async def _connect_to(
        self, host: Host, session: str, options: dict[str, Any]
    ) -> "asyncpg.Connection[asyncpg.Record]":
        target = self.target
        # Every parameter is passed, so that asyncpg reads no PG… variable itself.
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            self._tls_url(),
            host=[host.address],
            port=[host.port],
            user=target.user,
            password=lambda: target.password_for(host),
            database=target.database,
            timeout=target.connect_timeout or CONNECT_SECONDS,
            ssl=self._tls(host),
            direct_tls=target.direct_tls and not host.is_socket,
            server_settings=dict(target.server_settings),
            target_session_attrs=session,
            krbsrvname=target.krbsrvname,
            gsslib=target.gsslib,
            **options,
        )
        self.opened.add(connection)
        return connection

    def terminate(self) -> None:
        """Terminate every open connection, those in use too: the pools close only idle ones."""
        for connection in list(self.opened):
            if not connection.is_closed():
                connection.terminate()

    def _tls(self, host: Host) -> Any:
        """Return asyncpg's `ssl`: a context, the mode `allow` or `prefer`, or False."""
        tls = self.target.tls
        if tls is None or host.is_socket:
            return False
        return tls.context() if tls.is_required else tls.mode

    def _tls_url(self) -> str | None:
        """Return a URL with the TLS files for `allow` and `prefer`: asyncpg takes them only so."""
        tls = self.target.tls
        if tls is None or tls.is_required:
            return None
        parameters = {
            "sslcert": tls.certificate,
            "sslkey": tls.key,
            "sslpassword": tls.key_password,
            "ssl_min_protocol_version": tls.minimum,
            "ssl_max_protocol_version": tls.maximum,
        }
        given = {name: value for name, value in parameters.items() if value}
        return f"postgresql://?{urlencode(given, quote_via=quote)}"
