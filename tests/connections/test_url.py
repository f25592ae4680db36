"""C1: the target of each form of URL and each parameter, without a server."""

import ctypes
import getpass
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.postgres import WHEEL
from xero_service import libpq
from xero_service.libpq import Host, uri, words
from xero_service.libpq.target import DEFAULT_HOSTS

SECRET = "canary7Qz"


class _Option(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_char_p)
        for name in ("keyword", "envvar", "compiled", "val", "label", "char")
    ] + [("size", ctypes.c_int)]


def options(call: str, *arguments: object) -> Iterator[tuple[str, bytes | None, bytes | None]]:
    """Ask the real libpq, which the wheel brings: name, variable and value of each parameter."""
    wheel = importlib.util.find_spec(WHEEL)
    assert wheel is not None
    assert wheel.origin is not None
    suffix = "dylib" if sys.platform == "darwin" else "so"
    library = ctypes.CDLL(
        str(Path(wheel.origin).parent / "pginstall18" / "lib" / f"libpq.{suffix}")
    )
    function = getattr(library, call)
    function.restype = ctypes.POINTER(_Option)
    found = function(*arguments)
    assert found, "libpq refuses it"
    index = 0
    while found[index].keyword:
        option = found[index]
        yield option.keyword.decode(), option.envvar, option.val
        index += 1


def as_libpq_reads(url: str) -> dict[str, str]:
    return {
        name: value.decode()
        for name, _, value in options("PQconninfoParse", url.encode(), None)
        if value
    }


def test_every_parameter_of_libpq_is_known_with_its_variable_c1() -> None:
    known = {
        name: variable and variable.decode() for name, variable, _ in options("PQconndefaults")
    }

    assert known.items() <= words.PARAMETERS.items()
    assert words.PARAMETERS.keys() - known.keys() == {"servicefile"}  # of a later release


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://host/name",
        "postgres://host/name",
        "postgresql://user@host/name",
        "postgresql://user:p%40s%2Fs@host:5433/name",
        "postgresql://user:pa?s#s@host/name",
        "postgresql://user:@host/name",
        "postgresql:///name",
        "postgresql://user@/name?host=/run/pg",
        "postgresql://user@%2Frun%2Fpg/name",
        "postgresql://[::1]/name",
        "postgresql://[2001:db8::1]:5433/name",
        "postgresql://u@h1,h2/db",
        "postgresql://u@h1:1,h2:2/db",
        "postgresql://u@h1,h2:2,[::1]/db",
        "postgresql://u@[::1]:1,[::2]:2/db",
        "postgresql:///db?host=h1,h2&port=5432,5433",
        "postgresql://first/db?host=second&port=1",
        "postgresql://host/?dbname=name&user=u&password=p%26w",
        "postgresql://host/a%20name",
        "postgresql://host:5432/db?user=me@corp",
        "postgresql://host/db?application_name=a+b%2Bc",
        "postgresql://host/db?ssl=true",
        "postgresql://host/db?options=-c%20geqo%3Doff",
    ],
)
def test_a_url_means_what_libpq_takes_it_for_c1(url: str) -> None:
    assert uri.split(url) == as_libpq_reads(url)


def test_a_password_with_a_slash_is_taken_as_it_is() -> None:
    """As SQLAlchemy did, which parsed the URLs in earlier releases."""
    found = uri.split("postgresql://user:pa/s?s@host/name")

    assert found == {"user": "user", "password": "pa/s?s", "host": "host", "dbname": "name"}


def faults(url: str, **environ: str) -> list[str]:
    with pytest.raises(ValueError, match=r"\w") as refused:
        libpq.read(url, environ)
    assert SECRET not in str(refused.value)
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    "name",
    [
        "pgbouncer",
        "schema",
        "connection_limit",
        "pool_mode",
        "pool_timeout",
        "socket_timeout",
        "sslaccept",
        "sslidentity",
        "statement_cache_size",
        "prepared_statements",
        "search_path",
        "currentSchema",
        "database",
        "SSLMODE",
        "async_fallback",
    ],
)
def test_a_parameter_of_another_tool_is_refused_by_name_c1(name: str) -> None:
    (fault,) = faults(f"postgresql://user:{SECRET}@host/name?{name}={SECRET}")

    assert fault.startswith(f"has {name}, which libpq does not have")


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sslmode=foo", "has sslmode, which must be one of disable, allow, prefer,"),
        ("sslmode=Require", "has sslmode, which must be one of"),
        ("ssl=false", "has ssl, which libpq does not have: use sslmode"),
        ("connect_timeout=abc", "has connect_timeout, which must be a whole number"),
        ("connect_timeout=1.5", "has connect_timeout, which must be a whole number"),
        ("keepalives_idle=soon", "has keepalives_idle, which must be a whole number"),
        ("tcp_user_timeout=x", "has tcp_user_timeout, which must be a whole number"),
        ("target_session_attrs=master", "has target_session_attrs, which must be one of any,"),
        ("load_balance_hosts=yes", "has load_balance_hosts, which must be one of"),
        ("channel_binding=require", "has channel_binding, which cannot be require: the driver"),
        ("channel_binding=on", "has channel_binding, which must be one of"),
        ("gssencmode=require", "has gssencmode, which cannot be require"),
        ("gssdelegation=1", "has gssdelegation, which cannot be 1"),
        ("replication=database", "has replication, which cannot be database"),
        ("replication=true", "has replication, which cannot be true"),
        ("require_auth=scram-sha-256", "has require_auth, which cannot be kept"),
        ("sslcertmode=require", "has sslcertmode, which cannot be require"),
        ("sslsni=0", "has sslsni, which cannot be 0"),
        ("min_protocol_version=3.2", "has min_protocol_version, which cannot be 3.2"),
        ("min_protocol_version=4", "has min_protocol_version, which must be one of"),
        ("scram_client_key=x", "has scram_client_key, which cannot be kept"),
        ("oauth_client_secret=x", "has oauth_client_secret, which cannot be kept"),
        ("sslkeylogfile=/x", "has sslkeylogfile, which cannot be kept"),
        ("client_encoding=LATIN1", "has client_encoding, which must be one of"),
        ("options=-c%20nothing", "has options, which must be settings such as"),
        ("options=-c+geqo%3Doff", "has options, which must be settings such as"),
        ("options=geqo", "has options, which must be settings such as"),
        ("sslnegotiation=direct", "has sslnegotiation=direct, which needs sslmode=require"),
        ("sslnegotiation=straight", "has sslnegotiation, which must be one of"),
        ("ssl_min_protocol_version=SSLv3", "has ssl_min_protocol_version, which must be one of"),
        ("ssl_max_protocol_version=TLSv1.1", "has ssl_max_protocol_version, which is below"),
        ("sslmode=verify-full", "has sslmode=verify-full, which needs sslrootcert"),
        ("sslmode=verify-ca", "has sslmode=verify-ca, which needs sslrootcert"),
        ("sslmode=require&sslrootcert=/no/ca", "has sslrootcert, which cannot be read or used"),
        ("sslrootcert=system&sslmode=require", "has sslrootcert=system, which needs"),
        ("sslmode=require&sslcrl=/no/crl", "has sslcrl or sslcrldir, which cannot be read"),
        ("sslmode=require&sslcrldir=/no", "has sslcrl or sslcrldir, which cannot be read"),
        ("sslcert=/no/cert&sslkey=/no/key", "has sslcert, sslkey or sslpassword, which cannot"),
        ("host=a,b&port=1,2,3", "has host and port, which must be equally many"),
        ("host=a,b&hostaddr=127.0.0.1", "has host and hostaddr, which must be equally many"),
        ("hostaddr=db.example.com", "has hostaddr, which must be numeric addresses"),
        ("port=99999", "has port, which must be 1 to 65535"),
        ("port=first", "has port, which must be 1 to 65535"),
        ("host=@abstract", "has host, which must not be an abstract Unix socket"),
        ("host=/run/pg&requirepeer=postgres", "has requirepeer, which cannot be kept"),
        ("host=a&host=b", "gives host twice; several hosts are one list: host=a,b"),
        ("sslmode", "has a parameter without a value"),
        ("service=none", "has service, which no service file defines"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name_c1(query: str, fault: str) -> None:
    (said,) = faults(f"postgresql://user:{SECRET}@host/name?{query}")

    assert said.startswith(fault)


def test_a_certificate_of_the_home_is_not_sent_against_the_will_c1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = "postgresql://host/name?sslcertmode=disable"
    assert libpq.read(url, {}).tls

    home = tmp_path / "home"
    (home / ".postgresql").mkdir(parents=True)
    (home / ".postgresql" / "postgresql.crt").write_text("a certificate")
    monkeypatch.setenv("HOME", str(home))

    assert faults(url) == ["has sslcertmode=disable, which needs sslmode=require or stricter"]
    strict = libpq.read(f"{url}&sslmode=require", {}).tls
    assert strict
    assert strict.certificate is None


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{SECRET}@h@host/name",
        f"postgresql://user:x%zz{SECRET}@host/name",
        f"postgresql://user:%00{SECRET}@host/name",
        f"postgresql://user:%ff{SECRET}@host/name",
        f"postgresql://user:{SECRET}",
        f"postgresql://user@host:{SECRET}/name",
        f"postgresql://user@[{SECRET}/name",
        f"host=localhost password={SECRET}",
        f"postgresql+asyncpg://user:{SECRET}@host/name",
        f"POSTGRESQL://user:{SECRET}@host/name",
    ],
)
def test_what_is_no_url_is_refused_without_a_word_of_it_c1(url: str) -> None:
    assert faults(url) == [uri.NOT_A_URL]


def test_a_name_that_may_be_a_piece_of_a_secret_is_not_repeated_c1() -> None:
    (fault,) = faults(f"postgresql://host/name?user=u&password=x&y@{SECRET}=1")

    assert fault == "has a parameter, which libpq does not have"


def test_every_fault_is_named_at_once_c1() -> None:
    said = faults(
        f"postgresql://user:{SECRET}@host/name?schema=x&sslmode=foo&pool=1&connect_timeout=x"
    )

    assert [fault.split(",")[0] for fault in said] == [
        "has schema",
        "has pool",
        "has sslmode",
        "has connect_timeout",
    ]


def test_a_variable_is_named_where_it_is_what_is_wrong_c1() -> None:
    (fault,) = faults("postgresql://host/name", PGCHANNELBINDING="require")

    assert fault.startswith("has channel_binding (PGCHANNELBINDING), which cannot be require")


def test_the_url_overrides_a_variable() -> None:
    found = libpq.read(
        "postgresql://host:1/name", {"PGHOST": "other", "PGPORT": "2", "PGUSER": "u"}
    )

    assert (found.hosts, found.user) == ((Host("host", 1, "host"),), "u")


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://h1,h2:2/n", [("h1", 5432), ("h2", 2)]),
        ("postgresql:///n?host=h1,h2&port=1", [("h1", 1), ("h2", 1)]),
        ("postgresql://h1/n?hostaddr=127.0.0.1", [("127.0.0.1", 5432)]),
        ("postgresql://@/n?host=/a,b", [("/a", 5432), ("b", 5432)]),
        (
            "postgresql:///n",
            [(place, 5432) for place in DEFAULT_HOSTS],
        ),
    ],
)
def test_hosts_are_tried_in_their_order_c1(url: str, hosts: list[tuple[str, int]]) -> None:
    found = libpq.read(url, {})

    assert [(host.address, host.port) for host in found.hosts] == hosts
    assert found.user == getpass.getuser()


def test_a_target_shows_no_password() -> None:
    found = libpq.read(
        f"postgresql://u:{SECRET}@h/n?sslpassword={SECRET}&options=-ca%3D{SECRET}", {}
    )

    assert SECRET not in repr(found)
