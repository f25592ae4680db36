"""Xero's own records of the tenants that are connected to our app."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

ORGANISATION = "ORGANISATION"


@dataclass(frozen=True, slots=True)
class Connection:
    """Xero's own record that a Xero user linked a tenant to our app."""

    connection_id: str
    tenant_id: str
    tenant_type: str
    tenant_name: str
    auth_event_id: str | None
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Connections(Sequence[Connection]):
    """What Xero lists for one Xero user: one connection per tenant, in no particular order.

    `ids` are the connection ids of all entries. `is_complete` is False if an entry could not be
    parsed: then absence from the list does not prove that a tenant is disconnected.
    """

    listed: tuple[Connection, ...]
    ids: frozenset[str]
    is_complete: bool

    @overload
    def __getitem__(self, index: int) -> Connection: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Connection, ...]: ...
    def __getitem__(self, index: int | slice) -> Connection | tuple[Connection, ...]:
        """Return the connection at an index, or a slice."""
        return self.listed[index]

    def __len__(self) -> int:
        """Return how many tenants are connected."""
        return len(self.listed)


@dataclass(frozen=True, slots=True)
class Limits:
    """The remaining calls within Xero's limits for a tenant, as last reported; None: unknown."""

    day_remaining: int | None = None
    minute_remaining: int | None = None
