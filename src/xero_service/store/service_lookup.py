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
    """Return the statement for pairs of a key and a binding, as the driver takes it.

    They are passed as texts: of uuid[] the driver knows nothing, and would ask on every new
    connection.
    """
    asked = (
        func.unnest(bindparam("keys", type_=ARRAY(TEXT)), bindparam("bindings", type_=ARRAY(TEXT)))
        .table_valued("asked_key_id", "asked_binding_id")
        .render_derived(name="asked")
    )
    other = aliased(BindingRow)
    shared = select(other.id).where(
        other.active_grant_id == GrantRow.id,
        other.status != literal_column(f"'{BindingStatus.REVOKED}'"),
        other.clerk_org_id != BindingRow.clerk_org_id,
    )
    read = (
        select(
            asked.c.asked_key_id,
            asked.c.asked_binding_id,
            *KEY_COLUMNS,
            ServiceKeyRow.secret_hash,
            *BOUND_COLUMNS,
            shared.exists().label("shared"),
        )
        .select_from(asked)
        .join(ServiceKeyRow, ServiceKeyRow.id == cast(asked.c.asked_key_id, Uuid))
        .outerjoin(BindingRow, BindingRow.id == cast(asked.c.asked_binding_id, Uuid))
        .outerjoin(GrantRow, GrantRow.id == BindingRow.active_grant_id)
    )
    return str(read.compile(dialect=dialect()))  # type: ignore[no-untyped-call]


READ = _statement()


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The key that was named, and the binding of any org that was asked for: to judge first.

    `shared`: bindings of other orgs rest on the same grant.
    """

    key: ServiceKey
    secret_hash: str = field(repr=False)
    bound: BoundGrant | None
    shared: bool = False


_Asked = tuple[str, str]
_Answer = asyncio.Future[LookupResult | None]
_Waiting = dict[_Asked, list[_Answer]]


class ServiceLookup:
    """Data loader of what services' calls depend on.

    While no connection is free, one statement reads for all calls that wait; every call is
    decided by a statement that was sent after the call came. Its figure: ADR 0013.
    """

    def __init__(self, database: Database, background: BackgroundWork) -> None:
        """Read from `database`; a read under way belongs to none of its callers."""
        self._database, self._background = database, background
        self._waiting: _Waiting = {}

    async def read(self, key_id: UUID, binding_id: UUID) -> LookupResult | None:
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

    async def _read(self, asked: Collection[_Asked]) -> dict[_Asked, LookupResult]:
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


def _token_read(row: Record) -> LookupResult:
    bound = to_bound_grant(row) if row["binding_id"] else None
    return LookupResult(to_key(row), row["secret_hash"], bound, row["shared"])
