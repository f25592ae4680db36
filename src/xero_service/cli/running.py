"""Commands that run the service: serve, migrate, upkeep."""

import asyncio
import contextlib
import json
import resource
import signal
from datetime import timedelta
from typing import Annotated

import typer
import uvicorn

from xero_service import wiring
from xero_service.app import assemble
from xero_service.errors import ServiceBusy
from xero_service.settings import load, load_database
from xero_service.store import schema
from xero_service.store.outages import reason
from xero_service.telemetry import configure_logging
from xero_service.xero.transport import warm_up

HTTP_PROTOCOL = "xero_service.api.http_protocol:BoundedHttp"
OPEN_FILES = 8192  # as many connections as that protocol allows, and those to Xero, have room
OPEN_REQUESTS_SECONDS = 20
# A worker answers its first health check once it has loaded the code. Where that takes longer than
# the server's own 5 seconds (a busy machine, no compiled files), workers would be replaced forever.
WORKER_START_SECONDS = 60
KEEP_ALIVE_SECONDS = 75  # longer than balancers do (60), so that the side that asks is who closes


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that share the port.", min=1)] = 1,
    upkeep: Annotated[
        bool, typer.Option(help="Also do upkeep here; safe in any number of processes.")
    ] = True,
) -> None:
    """Serve the API.

    Apply migrations first: `xero-service migrate`. SIGTERM stops it gracefully: /readyz says 503
    for DRAIN_NOTICE_SECONDS, then the port closes, open requests are answered, and refreshes
    under way are saved. Ctrl-C skips the notice.
    """
    settings = load()  # fail here, with every fault named, rather than in each worker
    _allow_open_files()
    asyncio.run(wiring.check_key(settings))
    uvicorn.run(
        "xero_service.app:with_upkeep" if upkeep else "xero_service.app:without_upkeep",
        factory=True,
        host=host,
        port=port,
        http=HTTP_PROTOCOL,
        ws="none",
        workers=workers,  # always said, or the server would look for WEB_CONCURRENCY
        log_config=None,
        access_log=False,
        server_header=False,
        # Behind a proxy that is named here, callers are known by the addresses that it adds.
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        timeout_worker_healthcheck=WORKER_START_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=OPEN_REQUESTS_SECONDS,
    )


def _allow_open_files() -> None:
    """Raise the soft limit of open files, which is 1,024 by default, as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def migrate() -> None:
    """Bring the database to the newest schema; needs DATABASE_URL alone.

    Connects as the role that owns the database. Where DATABASE_SERVICE_ROLE names the role that
    serves, it is granted what serving needs, each time. Repeating it is harmless; of two at once
    the second waits for the first. A migration that finds a table in use gives up after seconds
    and holds nobody up: run it again.
    """
    settings = load_database()
    configure_logging(level=settings.log_level, form="text")
    try:
        schema.upgrade(
            settings.database_url.get_secret_value(), service_role=settings.database_service_role
        )
    except ServiceBusy as error:
        if error.__cause__ is None:
            raise
        raise ServiceBusy(f"{error.detail} ({reason(error)})") from error
    typer.echo(f"The database is at revision {schema.expected_revision()}, or a later one.")


def upkeep(
    once: Annotated[bool, typer.Option("--once", help="Do one round and stop.")] = False,
) -> None:
    """Do what must happen even if nobody calls: a process beside `serve --no-upkeep`.

    Finishes owed disconnects and interrupted refreshes, renews refresh tokens before they grow
    old, compares bindings with Xero once a day, and clears what is stale.
    """
    settings = load()
    configure_logging(level=settings.log_level, form=settings.log_format)

    warm_up()

    async def work() -> None:
        await wiring.check_key(settings)
        async with wiring.services(settings) as services:
            if once:
                await services.upkeep.round()
                return
            interval = timedelta(seconds=settings.upkeep_interval_seconds)
            worker = asyncio.create_task(services.upkeep.run(interval))
            loop = asyncio.get_running_loop()
            for stop in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(stop, worker.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await worker

    asyncio.run(work())


def openapi() -> None:
    """Print the API's OpenAPI document."""
    typer.echo(json.dumps(assemble().openapi(), indent=2))
