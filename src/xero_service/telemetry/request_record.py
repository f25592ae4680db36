"""What is known of a request beside its answer: each part is noted where it becomes known.

The access log writes it. Nothing in it is a secret, and no part is what an unknown caller claims:
the caller, org and binding are noted once they are verified.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from xero_service.telemetry.redaction import scrub


@dataclass(slots=True)
class RequestRecord:
    """The verified caller, org and binding of a request, and Xero's answer to its proxied call."""

    caller: str | None = None  # the id of a service key or of a session user
    is_key: bool = False
    org: str | None = None
    binding: str | None = None
    upstream_status: int | None = None
    upstream_seconds: float | None = None


current: ContextVar[RequestRecord | None] = ContextVar("request_record", default=None)
_scrubbed = lru_cache(maxsize=1000)(scrub)


def note_user(user_id: str, org_id: str | None) -> None:
    """Record the session user of the current request, if there is a request."""
    if record := current.get():
        record.caller, record.org = user_id, org_id


def note_key(key_id: UUID, org_id: str | None) -> None:
    """Record the service key of the current request and the org that it acts for.

    A key for all orgs names any org, so a name that looks like a secret is redacted.
    """
    if record := current.get():
        record.caller, record.is_key = str(key_id), True
        record.org = _scrubbed(org_id) if org_id else None


def note_binding(binding_id: UUID) -> None:
    """Record the binding of the current request, which its caller may use."""
    if record := current.get():
        record.binding = str(binding_id)


def note_upstream(status: int | None, seconds: float) -> None:
    """Record the status of Xero's answer, None without one, and add the time that it took."""
    if record := current.get():
        record.upstream_status = status
        record.upstream_seconds = (record.upstream_seconds or 0.0) + seconds
