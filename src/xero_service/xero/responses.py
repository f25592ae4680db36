"""Read Xero's answers strictly: what is not exactly as documented is not believed."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeGuard

from xero_service.domain import Connection, Connections, TokenSet
from xero_service.errors import (
    ExternalAPIError,
    InvalidGrant,
    PermissionRefused,
    RateLimitError,
    TokenDoubted,
    TokenExpired,
    XeroAccessRefused,
    XeroInvalidResponse,
    XeroMisconfigured,
)
from xero_service.telemetry import logger
from xero_service.xero.http import HttpResponse, parse_json

log = logger(__name__)
ID_AT_MOST = 100  # documented: a UUID
DOCUMENTED_LIFETIME = timedelta(minutes=30)
LONGEST_LIFETIME = timedelta(hours=24)  # beyond a day it is an error
NUMBER_AT_MOST = 40
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_OUR_FAULT = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})


def read_token_set(answer: HttpResponse) -> TokenSet:
    """Read a token answer (RFC 6749 §5.1) or raise what its error means (§5.2).

    A library would take any JSON object for a token: a 4xx without `error`, or a 200 without a
    refresh token. Raises InvalidGrant, XeroMisconfigured, RateLimitError, XeroInvalidResponse or
    ExternalAPIError.
    """
    if answer.status != 200:
        raise token_error(answer)
    body = parse_json(answer.body)
    if not isinstance(body, dict):
        raise XeroInvalidResponse("Xero's token answer is not JSON.")
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not (is_opaque(access) and is_opaque(refresh)):
        raise XeroInvalidResponse("Xero's token answer lacks a token.")
    if str(body.get("token_type", "")).lower() != "bearer":
        raise XeroInvalidResponse("Xero's token answer is of another type than Bearer.")
    id_token = body.get("id_token")
    return TokenSet(
        access_token=access,
        refresh_token=refresh,
        expires_in=_lifetime(body.get("expires_in")),
        scopes=read_scopes(body.get("scope")),
        id_token=id_token if isinstance(id_token, str) else None,
    )


def token_error(answer: HttpResponse) -> ExternalAPIError:
    """Say what a failed answer of the identity service means."""
    if common := _common_failure(answer):
        return common
    error = error_field(answer.body, "error")
    if answer.status in {400, 401} and error == "invalid_grant":
        return InvalidGrant("Xero no longer honours this code or token.")
    if answer.status in {400, 401} and error in _OUR_FAULT:
        return XeroMisconfigured("Xero refused the client id or secret of this service.")
    return XeroInvalidResponse(f"Xero answered {answer.status} in a way that is not documented.")


def api_error(answer: HttpResponse) -> ExternalAPIError:
    """Say what a failed answer of the API host means."""
    if common := _common_failure(answer):
        return common
    if answer.status in {401, 403}:
        refused = refusal(answer.status, answer.headers.items(), answer.body)
        return refused("Xero refused the access token or the organisation.")
    return XeroInvalidResponse(f"Xero answered {answer.status} in a way that is not documented.")


def refusal(
    status: int, headers: Iterable[tuple[str, str]], body: bytes
) -> type[XeroAccessRefused]:
    """Return what a 401 or 403 of the API host means for the access token (facts §1.10).

    Decided by the status first, because the same words mean another thing with 403; then by the
    body, and where that says nothing by `WWW-Authenticate` (RFC 6750 §3). A missing scope is a
    401, too, which no newer token would help.
    """
    detail = (error_field(body, "detail") or "").strip().lower()
    challenge = " ".join(value for name, value in headers if name == "www-authenticate").lower()
    if status != 401:
        return XeroAccessRefused
    if detail == "authorizationunsuccessful":
        return PermissionRefused
    if detail.startswith("tokenexpired"):
        return TokenExpired
    if "insufficient_scope" in challenge:
        return PermissionRefused
    if detail == "authenticationunsuccessful":
        return TokenDoubted
    return TokenExpired if "invalid_token" in challenge else XeroAccessRefused


def _common_failure(answer: HttpResponse) -> ExternalAPIError | None:
    if answer.status == 429:
        return RateLimitError(retry_after=retry_after(answer.headers) or 30)
    if answer.status >= 500:
        return ExternalAPIError(
            f"Xero answered {answer.status}.", retry_after=retry_after(answer.headers) or 5
        )
    return None


def error_field(body: bytes, name: str) -> str | None:
    """Return a text field of a JSON or XML error body, in any case; None for HTML or nothing."""
    parsed = parse_json(body)
    if isinstance(parsed, dict):
        for key, value in parsed.items():
            if key.lower() == name and isinstance(value, str):
                return value
        return None
    # Not parsed: nothing but this one text is wanted of it.
    element = rb"<(?:[\w.-]+:)?%b(?:\s[^<>]*)?>([^<]*)<" % name.encode()
    found = re.search(element, body, re.IGNORECASE)
    return found[1].decode(errors="replace").strip() if found else None


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Return Retry-After in seconds, of either form (RFC 9110 §10.2.3); None where unusable."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal() and len(value) < 10:
        return int(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0, int((at - datetime.now(UTC)).total_seconds()))


def read_scopes(value: Any) -> tuple[str, ...]:
    """Read scopes given as a string (token answer) or an array (JWT)."""
    if isinstance(value, str):
        return tuple(filter(is_opaque, value.split()))
    if isinstance(value, list):
        return tuple(filter(is_opaque, value))
    return ()


def read_connections(answer: HttpResponse) -> Connections:
    """Read the answer of GET /connections: a bare array, in no particular order.

    An entry without usable ids is left out. Of several connections to one tenant the newest
    counts: it is the one that the last consent made or renewed (facts §4.10).
    """
    if answer.status != 200:
        raise api_error(answer)
    body = parse_json(answer.body)
    if not isinstance(body, list):
        raise XeroInvalidResponse("Xero's list of connections is not a JSON array.")
    entries = [entry if isinstance(entry, dict) else {} for entry in body]
    readable = list(filter(None, map(_connection, entries)))
    if left_out := len(entries) - len(readable):
        log.warning("xero listed connections that cannot be read", count=left_out)
    by_tenant = {each.tenant_id: each for each in sorted(readable, key=_age)}
    return Connections(
        listed=tuple(by_tenant.values()),
        ids=frozenset(entry["id"] for entry in entries if _is_id(entry.get("id"))),
        is_complete=not left_out,
    )


def _connection(entry: Mapping[str, Any]) -> Connection | None:
    connection_id, tenant_id = entry.get("id"), entry.get("tenantId")
    if not (_is_id(connection_id) and _is_id(tenant_id)):
        return None
    name, event = entry.get("tenantName"), entry.get("authEventId")
    return Connection(
        connection_id=connection_id,
        tenant_id=tenant_id,
        tenant_type=as_text(entry.get("tenantType")) or "",
        tenant_name=as_text(name) or "Unnamed organisation",
        auth_event_id=event if is_opaque(event) else None,
        created_at=read_date(entry.get("createdDateUtc")),
        updated_at=read_date(entry.get("updatedDateUtc")),
    )


def _age(connection: Connection) -> tuple[datetime, bool, str]:
    """Order connections from the oldest to the newest; undated ones are the oldest."""
    changed_at = connection.updated_at or connection.created_at
    return (
        changed_at or datetime.min.replace(tzinfo=UTC),
        connection.auth_event_id is not None,
        connection.connection_id,
    )


def _is_id(value: Any) -> TypeGuard[str]:
    """Tell whether a value can be sent as an id in a header or a path."""
    return is_opaque(value) and value.isascii() and " " not in value and len(value) <= ID_AT_MOST


def is_opaque(value: Any) -> TypeGuard[str]:
    """Tell whether a value can be a token or an id: some text without controls or surrogates.

    Xero documents neither length nor alphabet of its refresh tokens (facts §1.6).
    """
    return isinstance(value, str) and value != "" and value.isprintable()


def as_text(value: Any) -> str | None:
    """Return a name without what no database stores or no page shows: controls, surrogates."""
    if not isinstance(value, str):
        return None
    return "".join(c for c in value if c.isprintable()).strip() or None


def read_date(value: Any) -> datetime | None:
    """Read Xero's dates: seven fractional digits, no zone, UTC; None where it is not one."""
    if not isinstance(value, str):
        return None
    head, dot, fraction = value.removesuffix("Z").partition(".")
    try:
        parsed = datetime.fromisoformat(head + (dot + fraction[:6] if fraction else ""))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _lifetime(value: Any) -> timedelta:
    """Read `expires_in`: a positive number in any form; where absent, what Xero documents.

    RFC 6749 §5.1 only recommends it, and a set that is refused for it would be lost.
    """
    if value is None:
        return DOCUMENTED_LIFETIME
    if isinstance(value, str) and len(value) <= NUMBER_AT_MOST and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise XeroInvalidResponse("Xero's token answer has no usable lifetime.")
    if not 0 < value <= LONGEST_LIFETIME.total_seconds():
        raise XeroInvalidResponse("Xero's token answer has an impossible lifetime.")
    return timedelta(seconds=value)
