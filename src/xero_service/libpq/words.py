"""libpq's parameters: their variables, values, and which of them asyncpg cannot honour."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

# Each parameter with the environment variable that is its default.
PARAMETERS: Mapping[str, str | None] = MappingProxyType(
    {
        "service": "PGSERVICE",
        "servicefile": "PGSERVICEFILE",
        "host": "PGHOST",
        "hostaddr": "PGHOSTADDR",
        "port": "PGPORT",
        "dbname": "PGDATABASE",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "passfile": "PGPASSFILE",
        "connect_timeout": "PGCONNECT_TIMEOUT",
        "target_session_attrs": "PGTARGETSESSIONATTRS",
        "load_balance_hosts": "PGLOADBALANCEHOSTS",
        "options": "PGOPTIONS",
        "application_name": "PGAPPNAME",
        "fallback_application_name": None,
        "client_encoding": "PGCLIENTENCODING",
        "sslmode": "PGSSLMODE",
        "sslnegotiation": "PGSSLNEGOTIATION",
        "sslrootcert": "PGSSLROOTCERT",
        "sslcrl": "PGSSLCRL",
        "sslcrldir": "PGSSLCRLDIR",
        "sslcert": "PGSSLCERT",
        "sslkey": "PGSSLKEY",
        "sslpassword": None,
        "sslcertmode": "PGSSLCERTMODE",
        "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
        "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
        "sslsni": "PGSSLSNI",
        "sslcompression": "PGSSLCOMPRESSION",
        "sslkeylogfile": None,
        "channel_binding": "PGCHANNELBINDING",
        "require_auth": "PGREQUIREAUTH",
        "requirepeer": "PGREQUIREPEER",
        "gssencmode": "PGGSSENCMODE",
        "krbsrvname": "PGKRBSRVNAME",
        "gsslib": "PGGSSLIB",
        "gssdelegation": "PGGSSDELEGATION",
        "min_protocol_version": "PGMINPROTOCOLVERSION",
        "max_protocol_version": "PGMAXPROTOCOLVERSION",
        "replication": None,
        "keepalives": None,
        "keepalives_idle": None,
        "keepalives_interval": None,
        "keepalives_count": None,
        "tcp_user_timeout": None,
        "scram_client_key": None,
        "scram_server_key": None,
        "oauth_issuer": None,
        "oauth_client_id": None,
        "oauth_client_secret": None,
        "oauth_scope": None,
    }
)

_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_PROTOCOLS = ("3.0", "3.2", "latest")
_OFF = ("false", "off", "no", "0")
_SWITCH = ("0", "1")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "sslcertmode": ("disable", "allow", "require"),
    "sslcompression": _SWITCH,
    "sslsni": _SWITCH,
    "ssl_min_protocol_version": _TLS_VERSIONS,
    "ssl_max_protocol_version": _TLS_VERSIONS,
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "gsslib": ("gssapi", "sspi"),
    "gssdelegation": _SWITCH,
    "min_protocol_version": _PROTOCOLS,
    "max_protocol_version": _PROTOCOLS,
    "replication": (*_OFF, "true", "on", "yes", "1", "database"),
    "client_encoding": ("auto", "UTF8", "UTF-8", "unicode"),
    "target_session_attrs": (
        "any",
        "read-write",
        "read-only",
        "primary",
        "standby",
        "prefer-standby",
    ),
    "load_balance_hosts": ("disable", "random"),
}
_ANY_CASE = {"ssl_min_protocol_version", "ssl_max_protocol_version", "client_encoding"}
_NUMBERS = {
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
}

# Values that asyncpg cannot honour, and why; None: every value.
_UNSUPPORTED: Mapping[str, tuple[tuple[str, ...] | None, str]] = {
    "channel_binding": (
        ("require",),
        "the driver has no SCRAM-SHA-256-PLUS; use channel_binding=prefer and sslmode=verify-full",
    ),
    "gssencmode": (("require",), "the driver encrypts by TLS alone"),
    "gssdelegation": (("1",), "the driver delegates no credentials"),
    "sslcertmode": (("require",), "the driver does not see whether the server asked"),
    "sslsni": (("0",), "the driver always names the host"),
    "min_protocol_version": (("3.2", "latest"), "the driver speaks version 3.0"),
    "replication": (("true", "on", "yes", "1", "database"), "this is no replica"),
    "require_auth": (None, "the driver takes the method that the server asks for"),
    "scram_client_key": (None, "the driver takes a password"),
    "scram_server_key": (None, "the driver takes a password"),
    "oauth_issuer": (None, "the driver has no OAuth"),
    "oauth_client_id": (None, "the driver has no OAuth"),
    "oauth_client_secret": (None, "the driver has no OAuth"),
    "oauth_scope": (None, "the driver has no OAuth"),
    "sslkeylogfile": (None, "this service writes no key of a session to a file"),
}

_HINTS = {
    "pgbouncer": "DATABASE_PREPARED_STATEMENTS=false is for PgBouncer before 1.21",
    "pool_mode": "DATABASE_PREPARED_STATEMENTS=false is for PgBouncer before 1.21",
    "prepared_statements": "use DATABASE_PREPARED_STATEMENTS",
    "statement_cache_size": "use DATABASE_PREPARED_STATEMENTS",
    "connection_limit": "use DATABASE_POOL_SIZE",
    "pool_size": "use DATABASE_POOL_SIZE",
    "schema": "use options=-csearch_path%3Dname",
    "search_path": "use options=-csearch_path%3Dname",
    "database": "use dbname",
    "ssl": "use sslmode",
}

_SETTING = re.compile(r"[A-Za-z_][\w.-]*=.*", re.DOTALL)
_ARGUMENT = re.compile(r"(?:\\.|[^\s\\])+", re.DOTALL)


def hint(name: str) -> str:
    """Return the replacement for another tool's parameter, as the end of a sentence."""
    return f": {_HINTS[name.lower()]}" if name.lower() in _HINTS else ""


def faults(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each faulty parameter with the reason, which repeats documented values only."""
    for name, value in given.items():
        if name in _CHOICES and not _is_among(name, value):
            yield name, f"must be one of {', '.join(_CHOICES[name])}"
        elif name in _NUMBERS and not re.fullmatch(r"\s*[+-]?[0-9]{1,9}\s*", value):
            yield name, "must be a whole number"
        elif name == "options" and not _are_options(value):
            yield name, "must be settings such as -c name=value or --name=value"
        elif name in _UNSUPPORTED:
            values, why = _UNSUPPORTED[name]
            if values is None:
                yield name, f"cannot be kept: {why}"
            elif value in values:
                yield name, f"cannot be {value}: {why}"


def _is_among(name: str, value: str) -> bool:
    if name in _ANY_CASE:
        return value.lower() in {each.lower() for each in _CHOICES[name]}
    return value in _CHOICES[name]


def _are_options(text: str) -> bool:
    """Whether the server would take a text as command-line options; a backslash escapes."""
    arguments = iter(_ARGUMENT.findall(text))
    for argument in arguments:
        if argument == "-c":
            setting = next(arguments, "")
        elif argument.startswith("-c"):
            setting = argument.removeprefix("-c")
        else:
            setting = argument.removeprefix("--")
            if setting == argument:
                return False
        if not _SETTING.fullmatch(setting):
            return False
    return True
