"""The stack: PostgreSQL, the sandbox, the service and its page, started in this order."""

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo import ports, postgres
from demo.environment import (
    CALLBACK,
    WEBHOOKS,
    XeroApp,
    names_own_issuer,
    names_real_xero,
    service_environment,
    without_service_variables,
)
from demo.processes import Child, LaunchError
from xero_sandbox.client import SandboxClient

SERVICE, SANDBOX = (
    str(Path(sysconfig.get_path("scripts"), name)) for name in ("xero-service", "xero-sandbox")
)
ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".demo"
BUILT_PAGE = ROOT / "frontend" / "dist"
LOOPBACK = "127.0.0.1"
DRAIN_SECONDS = 30  # the service finishes requests in flight before it exits
JWKS = "/.well-known/jwks.json"


@dataclass(frozen=True)
class Replica:
    """One process of the service and its address."""

    child: Child
    url: str


@dataclass(kw_only=True)
class Stack:
    """A running stack; addresses use `localhost`, the only loopback name that Xero accepts."""

    directory: Path
    origin: str
    sandbox: str
    sandbox_is_xero: bool
    sandbox_signs_in: bool
    database_url: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    children: list[Child] = field(default_factory=list)
    replicas: list[Replica] = field(default_factory=list)

    def start_sandbox(self, app: XeroApp) -> Child:
        """Start the sandbox, which stands in for Xero and the session issuer."""
        port = _port_of(self.sandbox)
        command = [SANDBOX, "serve", "--host", LOOPBACK, "--port", port]
        command += ["--base-url", self.sandbox, "--redirect-uri", self.origin + CALLBACK]
        credentials = {
            "XERO_SANDBOX_CLIENT_ID": app.client_id,
            "XERO_SANDBOX_CLIENT_SECRET": app.client_secret,
        }
        child = Child.start(
            "The sandbox",
            command,
            log=self.directory / "sandbox.log",
            env=without_service_variables(os.environ) | credentials,
            cwd=self.directory,
        )
        self.children.append(child)
        return child

    def send_webhooks(self, app: XeroApp) -> None:
        """Let the sandbox send its webhooks to the service, which must validate the intent."""
        with SandboxClient(self.sandbox) as sandbox:
            sandbox.webhooks.subscribe(self.origin + WEBHOOKS, app.webhook_key)
            if problem := sandbox.webhooks.validate_intent()["problem"]:
                raise LaunchError(f"The service refused the sandbox's webhooks: {problem}")

    def start_replica(self, port: int | None = None) -> Replica:
        """Start another process of the service and wait until it is ready."""
        port = port or ports.free()
        child = Child.start(
            "The service",
            [SERVICE, "serve", "--host", LOOPBACK, "--port", str(port)],
            log=self.directory / f"service-{port}.log",
            env=self.environment,
            cwd=self.directory,
        )
        self.children.append(child)
        replica = Replica(child, f"http://localhost:{port}")
        self.replicas.append(replica)
        child.wait_until_answering(f"http://{LOOPBACK}:{port}/readyz")
        return replica

    def command(self, *arguments: str) -> str:
        """Run an `xero-service` command with the stack's configuration; return its output."""
        done = subprocess.run(
            [SERVICE, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=dict(self.environment),
            cwd=self.directory,
        )
        if done.returncode:
            output = done.stderr.strip() or done.stdout.strip()
            raise LaunchError(f"`xero-service {' '.join(arguments)}` failed:\n\n{output}\n")
        return done.stdout

    def stop(self) -> None:
        """Stop all processes, the newest first."""
        for child in reversed(self.children):
            child.stop(grace=DRAIN_SECONDS)


@contextmanager
def running(
    directory: Path,
    *,
    port: int | None = None,
    sandbox_port: int | None = None,
    replicas: int = 1,
    page: Path | None = None,
    frontend: str | None = None,
    database_url: str | None = None,
    ambient: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Run a stack in `directory`: migrated, ready, with `replicas` processes of the service.

    By default the ports are free ones and the database is new, on a server of its own. `page` is a
    built SPA; `frontend` is the origin of a page that another server serves. `ambient` is the
    environment to read; without it, this process's service variables are ignored and the sandbox
    stands in for Xero.
    """
    directory.mkdir(parents=True, exist_ok=True)
    ambient = without_service_variables(os.environ) if ambient is None else ambient
    port, sandbox_port = port or ports.free(), sandbox_port or ports.free()
    origin, sandbox = f"http://localhost:{port}", f"http://localhost:{sandbox_port}"
    app, sandbox_signs_in = XeroApp(), not names_own_issuer(ambient)
    if page:
        issuer = f"{sandbox}/session" if sandbox_signs_in else None
        page = copy_page(page, directory / "page", issuer=issuer)
    with ExitStack() as undo:
        if database_url is None:
            server = undo.enter_context(postgres.embedded())
            database_url = server.create_database("xero")
        stack = Stack(
            directory=directory,
            origin=origin,
            sandbox=sandbox,
            sandbox_is_xero=not names_real_xero(ambient),
            sandbox_signs_in=sandbox_signs_in,
            database_url=database_url,
            environment=service_environment(
                ambient,
                origin=origin,
                sandbox=sandbox,
                app=app,
                database_url=database_url,
                page=page,
                frontend=frontend,
            ),
        )
        undo.callback(stack.stop)
        if stack.sandbox_is_xero or stack.sandbox_signs_in:
            stack.start_sandbox(app)
        stack.command("migrate")
        for child in stack.children:
            child.wait_until_answering(f"http://{LOOPBACK}:{sandbox_port}/session{JWKS}")
        stack.start_replica(port)
        if stack.sandbox_is_xero:
            stack.send_webhooks(app)
        for _ in range(replicas - 1):
            stack.start_replica()
        yield stack


def copy_page(page: Path, into: Path, *, issuer: str | None) -> Path:
    """Copy the built page and, if `issuer` is given, configure it to sign in there."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(page, into)
    if issuer:
        (into / "sandbox.json").write_text(json.dumps({"sessionIssuer": issuer}), encoding="utf-8")
    return into


def _port_of(address: str) -> str:
    return address.rpartition(":")[2]
