"""The command `xero-sandbox`."""

from typing import Annotated

import typer

from xero_sandbox.app import create_app
from xero_sandbox.config import (
    DEFAULT_CLIENT_ID,
    DEFAULT_CLIENT_SECRET,
    DEFAULT_REDIRECT_URI,
    SandboxConfig,
)
from xero_sandbox.server import SandboxServer, bound_socket

app = typer.Typer(add_completion=False, help="A local Xero and a local session issuer.")


@app.callback()
def _commands() -> None:
    """Make Typer require the name `serve`, although it is the only command."""


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 selects a free one.")] = 9000,
    base_url: Annotated[
        str | None, typer.Option(help="The sandbox's address as clients reach it.")
    ] = None,
    client_id: Annotated[str, typer.Option(envvar="XERO_SANDBOX_CLIENT_ID")] = DEFAULT_CLIENT_ID,
    client_secret: Annotated[
        str, typer.Option(envvar="XERO_SANDBOX_CLIENT_SECRET", show_default=False)
    ] = DEFAULT_CLIENT_SECRET,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(envvar="XERO_SANDBOX_REDIRECT_URIS", help="Repeatable; matched exactly."),
    ] = None,
    app_name: Annotated[str, typer.Option(help="The name on the consent page.")] = "Sample app",
    pkce_app: Annotated[
        bool, typer.Option(help="A mobile or desktop app, without secret.")
    ] = False,
) -> None:
    """Serve the sandbox until interrupted."""
    socket = bound_socket(host, port)
    config = SandboxConfig(
        base_url=(base_url or f"http://localhost:{socket.getsockname()[1]}").rstrip("/"),
        app_name=app_name,
        app_type="pkce" if pkce_app else "web",
        client_id=client_id,
        client_secret=client_secret,
        redirect_uris=tuple(redirect_uri or (DEFAULT_REDIRECT_URI,)),
    )
    server = SandboxServer(
        create_app(config), lambda: typer.echo(f"Xero sandbox ready at {config.base_url}")
    )
    server.run(sockets=[socket])


def main() -> None:
    """Run the command."""
    app()
