"""Redaction of secrets in log records: by the name of a field, and by how its value looks."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

REDACTED = "[redacted]"
_SECRET_NAME = re.compile(
    r"token(?!_type|_url)|secret|password|authorization|cookie|verifier|nonce|^code$|^state$|_enc$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"eyJ[\w-]+\.[\w-]*\.?[\w-]*"  # JWTs: Xero's and the session's
    r"|xsk_[\w-]+"  # service keys
    r"|whsec_[\w+/=-]+"  # secrets of webhook endpoints
    # Only what looks unlike a word: "Basic authentication failed" stays.
    r"|\b(?i:bearer|basic)\s+(?=\S*[\d=+/_~]|\S*[a-z][A-Z]|\S{24})[\w.~+/=-]+"
    r"|postgres(?:ql)?(?:\+asyncpg)?://[^\s'\"]+"
    # 40 characters or more with letters and digits: refresh tokens, states and keys.
    r"|(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9_-]{40,}"
)
_SECRET_PARAMETER = re.compile(
    r"(?i)\b(code|state|nonce|token|access_token|refresh_token|id_token|client_secret"
    r"|code_verifier|password)=[^&\s]+"
)
_SECRET_MEMBER = re.compile(
    r"(?i)(['\"](?:access_token|refresh_token|id_token|client_secret|code_verifier|password"
    r"|accessToken|refreshToken)['\"]\s*:\s*)(?:\"[^\"]*\"|'[^']*')"
)


def scrub(text: str) -> str:
    """Return the text with everything that looks like a secret redacted."""
    text = _SECRET_PARAMETER.sub(rf"\1={REDACTED}", _SECRET_VALUE.sub(REDACTED, text))
    return _SECRET_MEMBER.sub(rf"\1{REDACTED}", text)


def _clean(value: Any, name: str = "") -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    if name and _SECRET_NAME.search(name):
        return REDACTED
    if name == "request_id":
        return value  # chosen by the caller; its form is checked when the request arrives
    if isinstance(value, Mapping):
        return {str(key): _clean(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return scrub(str(value))


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Clean every field of a record, exception texts included."""
    return {name: _clean(value, name) for name, value in event.items()}
