"""Combines a URL, a service file and PG… variables into the target of a connection."""

import configparser
import getpass
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from xero_service.libpq import passwords, tls, uri, words
from xero_service.libpq.tls import Tls

DEFAULT_PORT = 5432
DEFAULT_HOSTS = ("/run/postgresql", "/var/run/postgresql", "/tmp")  # noqa: S108 - a socket directory


@dataclass(frozen=True, slots=True)
class Host:
    """A server to try: a name, an address, or the directory of a Unix socket."""

    address: str
    port: int
    name: str

    @property
    def is_socket(self) -> bool:
        """Whether this is the directory of a Unix socket, where TLS does not apply."""
        return self.address.startswith("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The parameters of a connection; `hosts` are tried in turn."""

    hosts: tuple[Host, ...]
    in_random_order: bool
    session: str
    database: str
    user: str
    password: str | None = field(repr=False)
    password_file: Path | None
    connect_timeout: int | None
    server_settings: Mapping[str, str] = field(repr=False)
    tls: Tls | None
    direct_tls: bool
    krbsrvname: str | None
    gsslib: str | None

    def password_for(self, host: Host) -> str | None:
        """Return the password, from the password file where the URL has none."""
        if self.password is not None or self.password_file is None:
            return self.password
        return passwords.password(
            self.password_file,
            hosts=(host.name, "localhost") if host.is_socket else (host.name,),
            port=host.port,
            database=self.database,
            user=self.user,
        )


def read(url: str, environ: Mapping[str, str]) -> Target:
    """Return the target of a URL; missing parameters come from libpq's variables.

    Raises ValueError with one line for each fault. A line contains parameter names and documented
    values only, never another part of the URL.
    """
    given = uri.split(url)
    unknown = [name for name in given if name not in words.PARAMETERS]
    faults = [
        f"has {name if uri.is_name(name) else 'a parameter'}, which libpq does not have"
        f"{words.hint(name)}"
        for name in unknown
    ]
    found = {name: value for name, value in given.items() if name not in unknown}
    variables = {
        name: environ[variable]
        for name, variable in words.PARAMETERS.items()
        if variable and name not in found and environ.get(variable)
    }
    try:
        found = {**variables, **_service_parameters({**variables, **found}, environ), **found}
    except ValueError as error:
        faults.append(str(error))
    for name, why in words.faults(found):
        origin = f" ({words.PARAMETERS[name]})" if name not in given and name in variables else ""
        faults.append(f"has {name}{origin}, which {why}")
    faults += _contradictions(found)
    if faults:
        raise ValueError("\n".join(faults))
    target = _target(found)
    if target.tls and (faults := list(target.tls.unusable())):
        raise ValueError("\n".join(faults))
    return target


def _service_parameters(found: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of the section that `service` names; raises ValueError."""
    if "service" not in found:
        return {}
    home = environ.get("HOME", "")
    named = found.get("servicefile")
    candidates = [named] if named else [f"{home}/.pg_service.conf"]
    if system := environ.get("PGSYSCONFDIR"):
        candidates.append(f"{system}/pg_service.conf")
    for path in candidates:
        parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=False)
        try:
            parser.read_string(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, configparser.Error):
            raise ValueError("has service, and its file cannot be read") from None
        if parser.has_section(found["service"]):
            section = dict(parser[found["service"]])
            if section.keys() - words.PARAMETERS.keys():
                raise ValueError("has service, with a parameter that libpq does not have")
            return {name: value for name, value in section.items() if value}
    raise ValueError("has service, which no service file defines")


def _contradictions(found: Mapping[str, str]) -> Iterator[str]:
    """Yield the faults of parameters that contradict each other or are incomplete."""
    if "dbname" not in found:
        yield "must be a postgresql:// URL that names a database"
    if "user" not in found and not _has_user():
        yield "must name a user, for this process has none with a name"
    hosts, ports = _list(found, "host"), _list(found, "port")
    if "hostaddr" in found:
        addresses = _list(found, "hostaddr")
        if not all(not each or _is_address(each) for each in addresses):
            yield "has hostaddr, which must be numeric addresses"
        if "host" in found and len(addresses) != len(hosts):
            yield "has host and hostaddr, which must be equally many"
        hosts = addresses
    if len(ports) > 1 and len(ports) != len(hosts):
        yield "has host and port, which must be equally many, or one port for all"
    if not all(not port or _is_port(port) for port in ports):
        yield "has port, which must be 1 to 65535"
    if any(host.startswith("@") for host in hosts):
        yield "has host, which must not be an abstract Unix socket"
    if "requirepeer" in found and any(not host or host.startswith("/") for host in hosts):
        yield "has requirepeer, which cannot be kept: the driver does not see the peer"
    yield from _tls_contradictions(found)


def _tls_contradictions(found: Mapping[str, str]) -> Iterator[str]:
    mode, root = _mode(found), found.get("sslrootcert")
    weak = mode in {"disable", "allow", "prefer"}
    if root == tls.SYSTEM and mode != "verify-full":
        yield "has sslrootcert=system, which needs sslmode=verify-full"
    if weak and found.get("sslnegotiation") == "direct":
        yield "has sslnegotiation=direct, which needs sslmode=require or stricter"
    sends_none = found.get("sslcertmode") == "disable"
    if sends_none and mode in {"allow", "prefer"} and tls.of_home("postgresql.crt"):
        # The driver would send it.
        yield "has sslcertmode=disable, which needs sslmode=require or stricter"
    lowest = found.get("ssl_min_protocol_version", "TLSv1.2").lower()
    highest = found.get("ssl_max_protocol_version", "TLSv1.3").lower()
    if lowest in tls.VERSIONS and highest in tls.VERSIONS and lowest > highest:
        yield "has ssl_max_protocol_version, which is below ssl_min_protocol_version"
    if mode.startswith("verify-") and not (root or tls.of_home("root.crt")) and _is_remote(found):
        yield f"has sslmode={mode}, which needs sslrootcert: the file of the CA, or system"


def _target(found: Mapping[str, str]) -> Target:
    settings = {"options": found["options"]} if "options" in found else {}
    if name := found.get("application_name") or found.get("fallback_application_name"):
        settings["application_name"] = name
    hosts = tuple(_hosts(found))
    return Target(
        hosts=hosts,
        in_random_order=found.get("load_balance_hosts") == "random",
        session=found.get("target_session_attrs", "any"),
        database=found["dbname"],
        user=found.get("user") or getpass.getuser(),
        password=found.get("password"),
        password_file=_password_file(found),
        connect_timeout=max(0, int(found.get("connect_timeout", "0"))) or None,
        server_settings=settings,
        tls=_tls(found) if _is_remote(found) and _mode(found) != "disable" else None,
        direct_tls=found.get("sslnegotiation") == "direct",
        krbsrvname=found.get("krbsrvname"),
        gsslib=found.get("gsslib"),
    )


def _hosts(found: Mapping[str, str]) -> Iterator[Host]:
    addresses = _list(found, "hostaddr" if "hostaddr" in found else "host")
    ports = _list(found, "port")
    ports = ports * len(addresses) if len(ports) == 1 else ports
    names = _list(found, "host") if "host" in found else addresses
    for address, name, port in zip(addresses, names, ports, strict=True):
        for each in (address,) if address else DEFAULT_HOSTS:
            yield Host(each, int(port or DEFAULT_PORT), name or each)


def _password_file(found: Mapping[str, str]) -> Path | None:
    if "passfile" in found:
        return Path(found["passfile"])
    try:
        return Path.home() / ".pgpass"
    except RuntimeError:
        return None


def _tls(found: Mapping[str, str]) -> Tls:
    sends_certificate = found.get("sslcertmode") != "disable"
    certificate = found.get("sslcert") or tls.of_home("postgresql.crt")
    names = zip(_list(found, "hostaddr"), _list(found, "host"), strict=False)
    return Tls(
        mode=_mode(found),
        root=found.get("sslrootcert") or tls.of_home("root.crt"),
        crl=found.get("sslcrl") or tls.of_home("root.crl"),
        crl_directory=found.get("sslcrldir"),
        certificate=certificate if sends_certificate else None,
        key=found.get("sslkey") or tls.of_home("postgresql.key"),
        key_password=found.get("sslpassword", ""),
        minimum=found.get("ssl_min_protocol_version", "TLSv1.2"),
        maximum=found.get("ssl_max_protocol_version"),
        names={address: name for address, name in names if address and name},
    )


def _mode(found: Mapping[str, str]) -> str:
    default = "verify-full" if found.get("sslrootcert") == tls.SYSTEM else "prefer"
    return found.get("sslmode", default)


def _is_remote(found: Mapping[str, str]) -> bool:
    """Whether any host is reached by TCP."""
    hosts = _list(found, "hostaddr" if "hostaddr" in found else "host")
    return any(host and not host.startswith("/") for host in hosts)


def _is_port(text: str) -> bool:
    return text.strip().isdecimal() and 1 <= int(text) <= 65535


def _has_user() -> bool:
    try:
        return bool(getpass.getuser())
    except (OSError, KeyError):
        return False


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _list(found: Mapping[str, str], name: str) -> list[str]:
    return found.get(name, "").split(",")
