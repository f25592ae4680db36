"""Reads the key, binding and grant of a service's call in one statement: the hot path.

The statement runs on asyncpg outside a transaction, in one round trip. Every call reads anew, so
that a disconnect and a revoked key take effect at once on every replica. While no connection is
free, the calls that wait are read by one statement: a round trip for each would cost more than the
rest of its work (docs/benchmarks.md).
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from asyncpg import Record
from sqlalchemy import TEXT, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.orm import aliased

from xero_service.background import BackgroundWork
from xero_service.domain import BindingStatus, BoundGrant, ServiceKey
from xero_service.store.bindings import BOUND_COLUMNS, to_bound_grant
from xero_service.store.database import Database
from xero_service.store.service_keys import COLUMNS as KEY_COLUMNS
from xero_service.store.service_keys import to_key
from xero_service.store.tables import BindingRow, GrantRow, ServiceKeyRow


def _statement() -> str:
    """Return the SQL text that reads pairs of a key id and a binding id.

    The ids are passed as text[]: asyncpg would look up the type uuid[] on every new connection.
    """
    pairs = (
        func.unnest(bindparam("keys", type_=ARRAY(TEXT)), bindparam("bindings", type_=ARRAY(TEXT)))
        .table_valued("pair_key_id", "pair_binding_id")
        .render_derived(name="pairs")
    )
    other = aliased(BindingRow)
    shared = select(other.id).where(
        other.active_grant_id == GrantRow.id,
        other.status != literal_column(f"'{BindingStatus.REVOKED}'"),
        other.clerk_org_id != BindingRow.clerk_org_id,
    )
    read = (
        select(
            pairs.c.pair_key_id,
            pairs.c.pair_binding_id,
            *KEY_COLUMNS,
            ServiceKeyRow.secret_hash,
            *BOUND_COLUMNS,
            shared.exists().label("shared"),
        )
        .select_from(pairs)
        .join(ServiceKeyRow, ServiceKeyRow.id == cast(pairs.c.pair_key_id, Uuid))
        .outerjoin(BindingRow, BindingRow.id == cast(pairs.c.pair_binding_id, Uuid))
        .outerjoin(GrantRow, GrantRow.id == BindingRow.active_grant_id)
    )
    return str(read.compile(dialect=dialect()))  # type: ignore[no-untyped-call]


READ = _statement()


@dataclass(frozen=True, slots=True)
class LookupResult:
    """A key and a binding, which the caller must still authorize: it may be of another org.

    `shared`: bindings of other orgs rest on the same grant.
    """

    key: ServiceKey
    secret_hash: str = field(repr=False)
    bound: BoundGrant | None
    shared: bool = False


_Pair = tuple[str, str]  # a key id and a binding id
_Future = asyncio.Future[LookupResult | None]
_Batch = dict[_Pair, list[_Future]]


class ServiceLookup:
    """Batching reader ("data loader") of keys and bindings.

    While no connection is free, one statement reads for all calls that wait. The statement that
    serves a call is always sent after the call arrived. What batching saves: ADR 0013.
    """

    def __init__(self, database: Database, background: BackgroundWork) -> None:
        """Read from `database`; a batch runs in `background`, whichever of its callers leaves."""
        self._database, self._background = database, background
        self._batch: _Batch = {}

    async def read(self, key_id: UUID, binding_id: UUID) -> LookupResult | None:
        """Return a key and a binding as they are stored now; None where the key is unknown.

        Raises ServiceBusy where the database is away or busy.
        """
        pair = str(key_id), str(binding_id)
        if self._database.has_bare_connection:
            return (await self._fetch([pair])).get(pair)
        if not self._batch:
            self._batch = defaultdict(list)
            _ = self._background.start(self._resolve(self._batch))
        future: _Future = asyncio.get_running_loop().create_future()
        self._batch[pair].append(future)
        return await future

    async def _fetch(self, pairs: Collection[_Pair]) -> dict[_Pair, LookupResult]:
        async with self._database.bare_connection() as driver:
            if pairs is self._batch:
                self._batch = {}  # a call that arrives from here on joins the next batch
            rows = await driver.fetch(READ, *map(list, zip(*pairs, strict=True)))
        return {(row["pair_key_id"], row["pair_binding_id"]): _to_result(row) for row in rows}

    async def _resolve(self, batch: _Batch) -> None:
        try:
            results = await self._fetch(batch)
        except BaseException as error:
            for future in _pending(batch.values()):
                future.set_exception(error)
            if isinstance(error, Exception):
                return  # the callers raise it
            raise
        finally:
            if batch is self._batch:
                self._batch = {}
        for pair, futures in batch.items():
            for future in _pending([futures]):
                future.set_result(results.get(pair))


def _pending(futures: Iterable[list[_Future]]) -> Iterator[_Future]:
    """Yield the futures whose caller has not been cancelled."""
    return (each for several in futures for each in several if not each.done())


def _to_result(row: Record) -> LookupResult:
    bound = to_bound_grant(row) if row["binding_id"] else None
    return LookupResult(to_key(row), row["secret_hash"], bound, row["shared"])
