"""The command `xero-service`: serve, migrate, and do upkeep."""

import asyncio
import json
import sys
from datetime import timedelta
from typing import Annotated

import typer
import uvicorn

from xero_service import wiring
from xero_service.app import assemble
from xero_service.errors import ConfigError
from xero_service.settings import load, load_database
from xero_service.store import schema
from xero_service.telemetry import configure_logging

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Connect Xero once, bind many organisations, never lose a grant. Configured by the "
    "environment or a .env file; see .env.example.",
)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that share the port.", min=1)] = 1,
    upkeep: Annotated[
        bool, typer.Option(help="Also do upkeep here; safe in any number of processes.")
    ] = True,
) -> None:
    """Serve the API.

    Apply migrations first: xero-service migrate. SIGTERM stops it gracefully: open requests are
    answered and refreshes under way are saved.
    """
    load()  # fail here, with every fault named, rather than in each worker
    uvicorn.run(
        "xero_service.app:with_upkeep" if upkeep else "xero_service.app:without_upkeep",
        factory=True,
        host=host,
        port=port,
        workers=workers if workers > 1 else None,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=20,
    )


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; needs DATABASE_URL alone.

    Repeating it is harmless.
    """
    settings = load_database()
    configure_logging(level=settings.log_level, form="text")
    schema.upgrade(settings.database_url.get_secret_value())
    typer.echo(f"The database is at revision {schema.expected_revision()}.")


@app.command()
def upkeep(
    once: Annotated[bool, typer.Option("--once", help="Do one round and stop.")] = False,
) -> None:
    """Do what must happen even if nobody calls: for a process beside `serve --no-upkeep`.

    Finishes owed disconnects and interrupted refreshes, renews refresh tokens before they grow
    old, and clears what is stale.
    """
    settings = load()
    configure_logging(level=settings.log_level, form=settings.log_format)

    async def work() -> None:
        async with wiring.services(settings) as services:
            if once:
                await services.upkeep.round()
            else:
                await services.upkeep.run(timedelta(seconds=settings.upkeep_interval_seconds))

    asyncio.run(work())


@app.command()
def openapi() -> None:
    """Print the API's OpenAPI document."""
    typer.echo(json.dumps(assemble().openapi(), indent=2))


def main() -> None:
    """Run the command; a wrong configuration is a message, not a traceback."""
    try:
        app()
    except ConfigError as error:
        typer.echo(error.detail, err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
