"""Split a `postgresql://` URL into libpq's parameters; no message repeats a part of the URL."""

import re
from urllib.parse import unquote

# Credentials end at the first "@" before a "/". The second form, tried where the first does not
# match, accepts an unencoded "/" in the password.
_HOST = r"(?:\[[^\]]*\]|[^\[\]:,/?@]*)(?::[0-9]*)?"
_REST = rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<dbname>[^?/@]*))?(?:\?(?P<query>.*))?"
_FORMS = tuple(
    re.compile(rf"(?:(?P<user>[^:/@]*)(?::(?P<password>{password}))?@)?{_REST}", re.DOTALL)
    for password in (r"[^/@]*", r"[^@]*")
)
_SCHEMES = ("postgresql://", "postgres://")
_BAD_ENCODING = re.compile(r"%(?![0-9a-fA-F]{2})|%00")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")

NOT_A_URL = "must be a postgresql:// URL (percent-encode special characters in it)"


def split(url: str) -> dict[str, str]:
    """Return the parameters that a URL gives, by libpq's names; raises ValueError.

    A parameter of the query overrides the same one before it. An empty one counts as not given.
    """
    scheme = next((each for each in _SCHEMES if url.startswith(each)), None)
    if scheme is None or _BAD_ENCODING.search(url):
        raise ValueError(NOT_A_URL)
    rest = url.removeprefix(scheme)
    parts = next((found for form in _FORMS if (found := form.fullmatch(rest))), None)
    if parts is None:
        raise ValueError(NOT_A_URL)
    try:
        host, port = _hosts(parts["hosts"])
        given = {"host": host, "port": port}
        for name in ("user", "password", "dbname"):
            given[name] = unquote(parts[name] or "", errors="strict")
        given |= _query(parts["query"] or "")
    except UnicodeDecodeError:  # its message would repeat a byte
        raise ValueError(NOT_A_URL) from None
    return {name: value for name, value in given.items() if value}


def is_name(text: str) -> bool:
    """Whether a text has the form of a parameter name, so that an error may repeat it."""
    return _NAME.fullmatch(text) is not None


def _hosts(text: str) -> tuple[str, str]:
    """Return the lists of hosts and of ports, as the query would give them."""
    hosts, ports = [], []
    for each in text.split(","):
        host, _, port = each.rpartition("]:") if each.startswith("[") else each.partition(":")
        if each.startswith("[") and not host:
            host, port = each, ""
        hosts.append(unquote(host.strip("[]"), errors="strict"))
        ports.append(port)
    return ",".join(hosts), ",".join(ports)


def _query(text: str) -> dict[str, str]:
    """Return the parameters of the query; "+" is no space here."""
    given: dict[str, str] = {}
    for pair in text.split("&") if text else ():
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError("has a parameter without a value: write name=value, joined by &")
        name, value = unquote(name, errors="strict"), unquote(value, errors="strict")
        if (name, value) == ("ssl", "true"):  # JDBC's, which libpq takes, too
            name, value = "sslmode", "require"
        if given.setdefault(name, value) != value:
            what = name if is_name(name) else "a parameter"
            raise ValueError(f"gives {what} twice; several hosts are one list: host=a,b")
    return given
