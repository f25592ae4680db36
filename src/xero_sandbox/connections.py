"""The connections: which user linked which tenant to the app (facts §4, §5)."""

import random
import uuid

from xero_sandbox.clock import Clock
from xero_sandbox.directory import Directory
from xero_sandbox.model import Connection, XeroUser
from xero_sandbox.switches import Switches


class ConnectionLimitReached(Exception):
    """The app already has as many organisations as its plan allows (facts §8)."""


class Connections:
    """All connections, deleted ones too, indexed by user and tenant and by id."""

    def __init__(self, clock: Clock, directory: Directory, switches: Switches) -> None:
        self._clock = clock
        self._directory = directory
        self._switches = switches
        self._by_pair: dict[tuple[str, str], Connection] = {}
        self._by_id: dict[str, Connection] = {}
        self._of_user: dict[str, list[Connection]] = {}

    def reset(self) -> None:
        """Remove every connection."""
        self._by_pair.clear()
        self._by_id.clear()
        self._of_user.clear()

    @property
    def all(self) -> list[Connection]:
        """Every connection since the last reset, deleted ones too, oldest first."""
        return list(self._by_pair.values())

    def by_id(self, connection_id: str) -> Connection | None:
        """Return the connection with this id, unless it is deleted."""
        connection = self._by_id.get(connection_id.lower())
        return connection if connection and not connection.deleted else None

    def find(self, user_id: str, tenant_id: str) -> Connection | None:
        """Return this user's connection to this tenant, unless it is deleted."""
        connection = self._by_pair.get((user_id, tenant_id.lower()))
        return connection if connection and not connection.deleted else None

    def of_user(self, user_id: str) -> list[Connection]:
        """Return this user's connections that are not deleted, oldest first."""
        return [each for each in self._of_user.get(user_id, ()) if not each.deleted]

    def to_tenant(self, tenant_id: str) -> list[Connection]:
        """Return all users' connections to this tenant that are not deleted."""
        return [
            each
            for each in self._by_pair.values()
            if each.tenant_id == tenant_id.lower() and not each.deleted
        ]

    def listed(self, connections: list[Connection]) -> list[Connection]:
        """Return those of `connections` that GET /connections lists.

        By default it also lists tenants that the user no longer has access to (facts §4.7).
        """
        shown = [each for each in connections if self._is_listed(each)]
        if self._switches.shuffle_connections:
            random.shuffle(shown)
        return shown

    def check_connection_limit(self, tenant_ids: list[str]) -> None:
        """Raise ConnectionLimitReached if these tenants would exceed the cap.

        A tenant counts once, however many users connected it.
        """
        cap = self._switches.connection_cap
        if cap is None:
            return
        held = {each.tenant_id for each in self._by_pair.values() if not each.deleted}
        if not set(tenant_ids) <= held and len(held | set(tenant_ids)) > cap:
            raise ConnectionLimitReached

    def connect(self, user: XeroUser, tenant_id: str, auth_event_id: str) -> Connection:
        """Connect a tenant; an existing connection keeps its id and authEventId (facts §4.2)."""
        pair = (user.xero_user_id, tenant_id)
        known = self._by_pair.get(pair)
        now = self._clock.now()
        if known is None:
            return self._add(
                Connection(str(uuid.uuid4()), user, tenant_id, auth_event_id, now, now)
            )
        if not known.deleted:
            return known
        if self._switches.reconnect_id == "new":
            del self._by_id[known.id]
            known.id = str(uuid.uuid4())
            self._by_id[known.id] = known
        known.auth_event_id, known.updated_at, known.deleted = auth_event_id, now, False
        return known

    def delete(self, connection: Connection) -> None:
        """Mark a connection as deleted; the grant and its scopes stay (facts §4.5)."""
        connection.deleted = True

    def delete_all_of(self, user: XeroUser) -> None:
        """Mark all connections of a user as deleted, as a revocation does (facts §1.9)."""
        for connection in self.of_user(user.xero_user_id):
            self.delete(connection)

    def _add(self, connection: Connection) -> Connection:
        user_id = connection.user.xero_user_id
        self._by_pair[user_id, connection.tenant_id] = connection
        self._by_id[connection.id] = connection
        self._of_user.setdefault(user_id, []).append(connection)
        return connection

    def _is_listed(self, connection: Connection) -> bool:
        if self._switches.list_lost_access:
            return True
        org = self._directory.find_org(connection.tenant_id)
        return org is not None and org.admits(connection.user)
