"""PostgreSQL as companies run it: TLS with an authority of their own, SCRAM, and a standby."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from demo import ports, programs
from demo.postgres import Postgres, open_to_others, unprivileged_user
from demo.processes import Child, LaunchError, temporary_directory
from tests.connections.certificates import Authority

PASSWORD = "p@ss/w:o?rd#50%"
HBA = """
local   all all                 trust
hostssl all by_certificate all  cert
hostssl all all            all  scram-sha-256
"""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "ssl": "on",
    "fsync": "off",
    "full_page_writes": "off",
    "password_encryption": "scram-sha-256",
}


class Server(Postgres):
    """One server, in a directory of its own; `url` is its superuser's, through the socket."""

    def __init__(self, programs: Path, directory: Path, data: Path, port: int) -> None:
        super().__init__(f"postgresql://postgres@/postgres?host={directory}&port={port}")
        self._programs = programs
        self.directory = directory
        self.data = data
        self.port = port
        self._child: Child | None = None

    def start(self, **settings: str) -> None:
        command: list[str | Path] = [self._programs / "postgres", "-D", self.data]
        command += ["-k", self.directory, "-p", str(self.port)]
        for name, value in {**SETTINGS, **settings}.items():
            command += ["-c", f"{name}={value}"]
        self._child = Child.start(
            "PostgreSQL",
            command,
            log=self.directory / f"log-{self.port}",
            cwd=self.directory,
            stop_signal=signal.SIGINT,
            user=unprivileged_user(),
        )
        self._child.wait_until(lambda: self.answers, within=60)

    def stop(self) -> None:
        if self._child:
            self._child.stop(grace=20)


@dataclass(frozen=True)
class Cluster:
    """A primary, a standby that has what the primary had, and the files of both sides."""

    primary: Server
    standby: Server
    files: Path
    authority: Authority
    stranger: Authority

    def url(self, *hosts: str, user: str = "service", database: str = "xero", **words: str) -> str:
        """Return a URL of these hosts (by default the primary) with libpq's `words`."""
        given = "&".join(f"{name}={quote(value, safe='')}" for name, value in words.items())
        credentials = user if user == "by_certificate" else f"{user}:{quote(PASSWORD, safe='')}"
        at = ",".join(hosts or (self.at_primary,))
        return f"postgresql://{credentials}@{at}/{database}{'?' if given else ''}{given}"

    @property
    def at_primary(self) -> str:
        return f"localhost:{self.primary.port}"

    @property
    def at_standby(self) -> str:
        return f"localhost:{self.standby.port}"


@contextmanager
def running() -> Iterator[Cluster]:
    """Run both servers; their directory is gone afterwards."""
    with temporary_directory("xero-tls-", parent="/tmp") as directory:  # noqa: S108 - short
        authority, stranger = Authority(directory, "own"), Authority(directory, "strange")
        certificate, key = authority.issues("server", hosts=("localhost",))
        authority.issues("by_certificate")
        authority.issues("by_certificate", password=PASSWORD)
        authority.revokes(None, "none.crl")
        authority.revokes(certificate, "server.crl")
        binaries = _binaries(directory)
        primary = Server(binaries, directory, directory / "data", ports.free())
        standby = Server(binaries, directory, directory / "standby", ports.free())
        if (user := unprivileged_user()) is not None:
            for path in (directory, certificate, key, authority.file):
                os.chown(path, user, -1)
        _initialise(binaries, primary.data, user)
        (primary.data / "pg_hba.conf").write_text(HBA, encoding="utf-8")
        files = {
            "ssl_cert_file": str(certificate),
            "ssl_key_file": str(key),
            "ssl_ca_file": str(authority.file),
        }
        primary.start(**files)
        try:
            _fill(primary)
            primary.stop()
            _copy(primary.data, standby.data)
            primary.start(**files)
            standby.start(**files)
            yield Cluster(primary, standby, directory, authority, stranger)
        finally:
            primary.stop()
            standby.stop()


def _binaries(directory: Path) -> Path:
    """Return the programs where the server's user can run them, as for the wheel's."""
    found = programs.postgresql()
    if unprivileged_user() is None or open_to_others(found / "postgres"):
        return found
    unpacked = found.parents[4]
    shutil.copytree(unpacked, directory / "programs", symlinks=True)
    return directory / "programs" / found.relative_to(unpacked)


def _initialise(binaries: Path, data: Path, user: int | None) -> None:
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres"]
    command += ["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        user=user,
        group=user,
        cwd=data.parent,
    )
    if done.returncode:
        raise LaunchError(done.stdout + done.stderr)


def _fill(server: Server) -> None:
    server.execute(f"CREATE ROLE service LOGIN PASSWORD '{PASSWORD}'")
    server.execute("CREATE ROLE by_certificate LOGIN")
    server.execute("CREATE DATABASE xero OWNER service")


def _copy(data: Path, copy: Path) -> None:
    """Make a standby: the same data, which it believes to be behind some primary's."""
    shutil.copytree(data, copy)
    (copy / "standby.signal").touch()
    owner = data.stat()
    for path in (copy, *copy.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


@contextmanager
def silent_port() -> Iterator[int]:
    """A host that takes connections and never says a word."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]
