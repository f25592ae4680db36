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

# After these the next host is tried: not there, not yet or no longer serving, of the wrong kind.
_NOT_THIS_HOST = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
    TargetServerAttributeNotMatched,
)


@dataclass(frozen=True, slots=True)
class Connector:
    """Connects to the first host of a target that answers and is of the kind that is wanted."""

    target: Target
    opened: "WeakSet[asyncpg.Connection[asyncpg.Record]]" = field(
        default_factory=WeakSet, repr=False, compare=False
    )

    @classmethod
    def to(cls, url: str, environ: Mapping[str, str] = os.environ) -> "Connector":
        """Return a connector to what DATABASE_URL names; raises ValueError, see `libpq.read`."""
        return cls(libpq.read(url, environ))

    async def connect(self, **options: Any) -> "asyncpg.Connection[asyncpg.Record]":
        """Open a connection; `options`: the driver's, beyond where and as whom.

        Each host has the whole of `connect_timeout`. Raises OSError, or the driver's
        InterfaceError or InternalClientError, for what the last host caused.
        """
        *others, last = self._attempts()
        try:
            for session, host in others:
                with suppress(*_NOT_THIS_HOST):
                    return await self._connect_to(host, session, options)
            session, host = last
            return await self._connect_to(host, session, options)
        except asyncpg.PostgresError as error:  # of the server's, and no mistake in a statement
            raise ConnectionRefusedError(str(error)) from error

    def _attempts(self) -> list[tuple[str, Host]]:
        """Return the hosts in the order in which to try them, and of which kind each must be."""
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
        # Everything is said, so that the driver asks no variable of its own.
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            self._certificate_words(),
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
        """End every connection that is still open, those in use too: pools close idle ones only."""
        for connection in list(self.opened):
            if not connection.is_closed():
                connection.terminate()

    def _tls(self, host: Host) -> Any:
        """Return what the driver calls `ssl`: a context, a mode that may do without, or none."""
        tls = self.target.tls
        if tls is None or host.is_socket:
            return False
        return tls.context() if tls.is_required else tls.mode

    def _certificate_words(self) -> str | None:
        """Return what a mode that may do without TLS needs for it: the driver takes it in a URL."""
        tls = self.target.tls
        if tls is None or tls.is_required:
            return None
        words = {
            "sslcert": tls.certificate,
            "sslkey": tls.key,
            "sslpassword": tls.key_password,
            "ssl_min_protocol_version": tls.minimum,
            "ssl_max_protocol_version": tls.maximum,
        }
        said = {name: value for name, value in words.items() if value}
        return f"postgresql://?{urlencode(said, quote_via=quote)}"
