"""Databases with two roles: one that owns the tables and one that serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from demo.postgres import Postgres


@dataclass(frozen=True)
class TwoRoles:
    """An empty database, as its owner and as the role that serves reach it."""

    owner_url: str
    serving_url: str
    serving_role: str
    server: Postgres


def url_as(url: str, role: str) -> str:
    """The same database, reached as another role."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{quote(role, safe='')}@{address}").geturl()


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def two_roles(server: Postgres, *, serving: str = "serving") -> Iterator[TwoRoles]:
    """Create the database and both roles; neither is a superuser."""
    url = server.create_database()
    name = urlsplit(url).path[1:]
    owner, serving = f"owner_{name}", f"{serving} {name}"
    for role in (owner, serving):
        server.execute(f"CREATE ROLE {quoted(role)} LOGIN")
    server.execute(f"ALTER DATABASE {quoted(name)} OWNER TO {quoted(owner)}")
    try:
        yield TwoRoles(url_as(url, owner), url_as(url, serving), serving, server)
    finally:
        server.drop_database(url)
        for role in (owner, serving):
            server.execute(f"DROP ROLE {quoted(role)}")
