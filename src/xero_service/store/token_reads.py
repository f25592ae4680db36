"""The hot path: one statement that decides key, org, binding and grant for services' calls.

It runs as a prepared statement on the bare driver, outside any transaction: one round trip,
which is also what makes a disconnect and a revoked key hold at once on every replica. Calls that
wait for a connection share it: a round trip for each would cost more than all that is done with
what it returns (docs/benchmarks.md).
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from xero_service.domain import BindingStatus, Grant, GrantStatus, ServiceKey
from xero_service.singleflight import BackgroundWork
from xero_service.store.database import Database

READ = """
SELECT k.id AS key_id, k.name AS key_name, k.org_id AS key_org_id, k.scopes AS key_scopes,
       k.secret_hash, k.created_at AS key_created_at, k.expires_at AS key_expires_at,
       k.revoked_at AS key_revoked_at, k.last_used_at AS key_last_used_at,
       b.id AS binding_id, b.clerk_org_id AS binding_org_id, b.external_tenant_id,
       b.status AS binding_status,
       g.id, g.clerk_org_id, g.xero_user_id, g.status, g.generation, g.scopes,
       g.access_token_enc, g.refresh_token_enc, g.refresh_token_issued_at, g.expires_at,
       g.lease_until, g.refresh_sent_at, g.refresh_failures, g.next_refresh_at, g.last_error,
       g.last_used_at,
       EXISTS (
           SELECT FROM integration_tenant_bindings other
           WHERE other.active_grant_id = g.id AND other.status <> 'revoked'
             AND other.clerk_org_id <> b.clerk_org_id
       ) AS shared,
       clock_timestamp() AS read_at,
       asked.*
FROM unnest($1::text[], $2::text[]) AS asked (asked_key_id, asked_binding_id)
JOIN service_keys k ON k.id = asked_key_id::uuid
LEFT JOIN integration_tenant_bindings b ON b.id = asked_binding_id::uuid
LEFT JOIN integration_grants g ON g.id = b.active_grant_id
"""


@dataclass(frozen=True, slots=True)
class ReadBinding:
    """A binding of any org as a service's call finds it, with its grant: to judge first."""

    id: UUID
    org_id: str
    tenant_id: str
    status: BindingStatus
    grant: Grant
    shared: bool
    grant_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRead:
    """The key that was named, the hash of its secret, and the binding that was asked for."""

    key: ServiceKey
    secret_hash: str = field(repr=False)
    binding: ReadBinding | None


# As texts: of uuid[] the driver knows nothing, and would ask on every new connection.
_Asked = tuple[str, str]
_Answer = asyncio.Future[TokenRead | None]
_Waiting = dict[_Asked, list[_Answer]]


class TokenReads:
    """Reads what services' calls depend on: while no connection is free, for all who wait at once.

    Every call is decided by a statement that was sent after the call came.
    """

    def __init__(self, database: Database, background: BackgroundWork) -> None:
        """Read from `database`; a read under way belongs to none of its callers."""
        self._database, self._background = database, background
        self._waiting: _Waiting = {}

    async def read(self, key_id: UUID, binding_id: UUID) -> TokenRead | None:
        """Return a key and a binding as they are now; None where the key is unknown.

        Raises ServiceBusy where the database is away or busy.
        """
        asked = str(key_id), str(binding_id)
        if self._database.has_bare_connection:
            return (await self._read([asked])).get(asked)
        if not self._waiting:
            self._waiting = defaultdict(list)
            _ = self._background.start(self._read_for(self._waiting))
        answer: _Answer = asyncio.get_running_loop().create_future()
        self._waiting[asked].append(answer)
        return await answer

    async def _read(self, asked: Collection[_Asked]) -> dict[_Asked, TokenRead]:
        async with self._database.bare_connection() as driver:
            if asked is self._waiting:
                self._waiting = {}  # who comes from here on is for the next statement
            rows = await driver.fetch(READ, *map(list, zip(*asked, strict=True)))
        return {(row["asked_key_id"], row["asked_binding_id"]): _token_read(row) for row in rows}

    async def _read_for(self, waiting: _Waiting) -> None:
        try:
            found = await self._read(waiting)
        except BaseException as error:
            for answer in _open(waiting.values()):
                answer.set_exception(error)
            if isinstance(error, Exception):
                return  # it is for who asked
            raise
        finally:
            if waiting is self._waiting:
                self._waiting = {}
        for asked, answers in waiting.items():
            for answer in _open([answers]):
                answer.set_result(found.get(asked))


def _open(answers: Iterable[list[_Answer]]) -> Iterator[_Answer]:
    """Leave out those whose caller has left."""
    return (each for several in answers for each in several if not each.done())


def _token_read(row: Record) -> TokenRead:
    binding = _binding(row) if row["binding_id"] else None
    return TokenRead(_key(row), row["secret_hash"], binding)


def _key(row: Record) -> ServiceKey:
    return ServiceKey(
        id=row["key_id"],
        name=row["key_name"],
        org_id=row["key_org_id"],
        scopes=frozenset(row["key_scopes"]),
        created_at=row["key_created_at"],
        expires_at=row["key_expires_at"],
        revoked_at=row["key_revoked_at"],
        last_used_at=row["key_last_used_at"],
        read_at=row["read_at"],
    )


def _binding(row: Record) -> ReadBinding:
    return ReadBinding(
        id=row["binding_id"],
        org_id=row["binding_org_id"],
        tenant_id=row["external_tenant_id"],
        status=BindingStatus(row["binding_status"]),
        grant=_grant(row),
        shared=row["shared"],
        grant_used_at=row["last_used_at"],
    )


def _grant(row: Record) -> Grant:
    return Grant(
        id=row["id"],
        org_id=row["clerk_org_id"],
        xero_user_id=row["xero_user_id"],
        status=GrantStatus(row["status"]),
        generation=row["generation"],
        scopes=tuple(row["scopes"]),
        access_token_enc=row["access_token_enc"],
        refresh_token_enc=row["refresh_token_enc"],
        refresh_token_issued_at=row["refresh_token_issued_at"],
        expires_at=row["expires_at"],
        lease_until=row["lease_until"],
        refresh_sent_at=row["refresh_sent_at"],
        refresh_failures=row["refresh_failures"],
        next_refresh_at=row["next_refresh_at"],
        last_error=row["last_error"],
        read_at=row["read_at"],
    )
