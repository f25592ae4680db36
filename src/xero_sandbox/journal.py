"""The journal: every request to the Xero side, with fingerprints in place of secrets."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from xero_sandbox.clock import Clock, to_datetime
from xero_sandbox.fingerprints import fingerprint

_SECRET = frozenset(
    {"access_token", "client_secret", "code", "code_verifier", "id_token", "id_token_hint"}
    | {"nonce", "refresh_token", "state", "token"}
)
_PLAIN_HEADERS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host"}
    | {"idempotency-key", "if-modified-since", "user-agent", "xero-tenant-id", "xero-user-id"}
)


@dataclass(slots=True)
class JournalEntry:
    """One request; `status` is None while it is open, and if its connection was dropped."""

    n: int
    at: str
    kind: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    tenant_id: str | None = None
    fingerprint: str | None = None
    xero_user_id: str | None = None
    client_id: str | None = None
    status: int | None = None
    outcome: str | None = None
    faults: list[str] = field(default_factory=list)
    body_bytes: int = 0
    on_finish: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return the entry as the journal route returns it."""
        return {
            "n": self.n,
            "at": self.at,
            "kind": self.kind,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "bodyBytes": self.body_bytes,
            "status": self.status,
            "fingerprint": self.fingerprint,
            "xeroUserId": self.xero_user_id,
            "tenantId": self.tenant_id,
            "clientId": self.client_id,
            "outcome": self.outcome,
            "faults": self.faults,
        }


class Journal:
    """The entries in order of arrival, and how often each refresh token was presented."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[JournalEntry] = []
        self.presented: Counter[str] = Counter()

    def reset(self) -> None:
        """Remove all entries and counts."""
        self._entries.clear()
        self.presented.clear()

    def open(
        self, kind: str, method: str, path: str, query: str, headers: dict[str, str]
    ) -> JournalEntry:
        """Add an entry for a request that arrived, and return it."""
        entry = JournalEntry(
            n=len(self._entries) + 1,
            at=to_datetime(self._clock.now()).isoformat(),
            kind=kind,
            method=method,
            path=path,
            query=_redacted(query),
            headers={name: _loggable(name, value) for name, value in headers.items()},
        )
        self._entries.append(entry)
        return entry

    def read(self, *, since: int = 0, kind: str | None = None) -> list[JournalEntry]:
        """Return the entries after number `since`, of one kind or family of kinds."""
        return [
            entry for entry in self._entries[since:] if kind is None or covers(kind, entry.kind)
        ]


def covers(kind: str, other: str) -> bool:
    """Whether `other` equals `kind` or is in its family: `token` covers `token.refresh`."""
    return kind in ("*", other) or other.startswith(f"{kind}.")


def _loggable(name: str, value: str) -> str:
    """Return a header value for the journal: a fingerprint, unless the header holds no secret."""
    return value if name in _PLAIN_HEADERS else fingerprint(value.partition(" ")[2] or value)


def _redacted(query: str) -> dict[str, str]:
    """Return the query with every secret replaced by its fingerprint."""
    return {
        name: fingerprint(value) if name in _SECRET else value
        for name, value in parse_qsl(query, keep_blank_values=True)
    }
