"""Debian's PgBouncer in transaction mode, in front of the tests' server."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from demo import ports, programs
from demo.postgres import unprivileged_user
from demo.processes import Child, temporary_directory

# Few connections for many clients: a client's next transaction runs on another one than its last.
SERVER_CONNECTIONS = 4
CONFIGURATION = """
[databases]
* = {target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
server_round_robin = 1
max_client_conn = 1000
max_db_connections = 0
log_connections = 0
log_disconnections = 0
"""


@dataclass(frozen=True)
class Bouncer:
    """A running PgBouncer."""

    port: int

    def url_of(self, direct_url: str) -> str:
        """Return the way to a database through it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{urlsplit(direct_url).path[1:]}"


@contextmanager
def running(server_url: str) -> Iterator[Bouncer]:
    """Run it in front of the server that `server_url` names."""
    program = programs.pgbouncer()
    port = ports.free()
    with temporary_directory("xero-pgbouncer-") as directory:
        settings = directory / "pgbouncer.ini"
        settings.write_text(
            CONFIGURATION.format(
                target=_target(server_url), port=port, connections=SERVER_CONNECTIONS
            ),
            encoding="utf-8",
        )
        # Like PostgreSQL, it refuses to run as root.
        if (user := unprivileged_user()) is not None:
            for path in (directory, settings):
                os.chown(path, user, -1)
        child = _start(program, settings, user)
        try:
            child.wait_until(lambda: _listens(port), within=20)
            yield Bouncer(port)
        finally:
            child.stop()


def _start(program: Path, settings: Path, user: int | None) -> Child:
    return Child.start(
        "PgBouncer",
        [program, settings],
        log=settings.with_name("log"),
        cwd=settings.parent,
        user=user,
    )


def _target(server_url: str) -> str:
    """Say in PgBouncer's words where the server is, and as whom to reach it."""
    parts = urlsplit(server_url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    words = {
        "host": query.get("host") or parts.hostname or "",
        "port": str(query.get("port") or parts.port or 5432),
        "user": unquote(parts.username or "postgres"),
    }
    if parts.password:
        words["password"] = unquote(parts.password)
    return " ".join(f"{name}={value}" for name, value in words.items())


def _listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
