"""Commands that run the service: serve, migrate, upkeep."""

import asyncio
import contextlib
import json
import resource
import signal
import sys
from datetime import timedelta
from functools import partial
from socket import socket
from typing import Annotated

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from xero_service import wiring, worker_metrics
from xero_service.api import metrics_port
from xero_service.api.graceful_shutdown import ShutdownState
from xero_service.api.metrics_port import MetricsPort, services_with_metrics_port
from xero_service.app import assemble, build_worker
from xero_service.errors import ServiceBusy
from xero_service.settings import Settings, load, load_database
from xero_service.store import schema
from xero_service.store.db_errors import reason
from xero_service.telemetry import Metrics, configure_logging
from xero_service.timeouts import KEEP_ALIVE_SECONDS, OPEN_REQUESTS_SECONDS

HTTP_PROTOCOL = "xero_service.api.http_protocol:BoundedHttp"
OPEN_FILES = 8192  # as many connections as that protocol allows, and those to Xero, have room
# A worker answers its first health check once it has loaded the code. Where that takes longer than
# the server's own 5 seconds (a busy machine, no compiled files), workers would be replaced forever.
WORKER_START_SECONDS = 60


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that share the port.", min=1)] = 1,
    upkeep: Annotated[
        bool, typer.Option(help="Also do upkeep here; safe in any number of processes.")
    ] = True,
) -> None:
    """Serve the API, and with METRICS_PORT its metrics and health on a port of their own.

    Apply migrations first: `xero-service migrate`. SIGTERM stops it gracefully: /readyz says 503
    for DRAIN_NOTICE_SECONDS, then the port closes, open requests are answered, and refreshes
    under way are saved. Ctrl-C skips the notice.
    """
    settings = load()  # fail here, with every fault named, rather than in each worker
    _allow_open_files()
    listener = metrics_port.listen(settings, api_port=port)
    asyncio.run(wiring.check_key(settings))
    with worker_metrics.directory_for(workers) as directory:
        _serve(
            uvicorn.Config(
                partial(
                    build_worker,
                    upkeep=upkeep,
                    metrics_listener=listener,
                    metrics_directory=directory,
                ),
                factory=True,
                host=host,
                port=port,
                http=HTTP_PROTOCOL,
                ws="none",
                workers=workers,  # always said, or the server would look for WEB_CONCURRENCY
                log_config=None,
                access_log=False,
                server_header=False,
                # Behind a proxy that is named here, callers are known by the addresses it adds.
                proxy_headers=bool(settings.forwarded_allow_ips),
                forwarded_allow_ips=list(settings.forwarded_allow_ips),
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=OPEN_REQUESTS_SECONDS,
                timeout_worker_healthcheck=WORKER_START_SECONDS,
            )
        )


def _serve(config: uvicorn.Config) -> None:
    """Serve in this process, or in workers that this process starts and replaces."""
    if config.workers == 1:
        server = uvicorn.Server(config)
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
        started = server.started
    else:
        supervisor = _Supervisor(config, sockets=[config.bind_socket()])
        supervisor.run()
        started = all(each.exitcode != STARTUP_FAILURE for each in supervisor.processes)
    if not started:
        sys.exit(STARTUP_FAILURE)


class _Supervisor(Multiprocess):
    """Starts workers, and replaces at once one that ended."""

    def keep_subprocess_alive(self) -> None:
        """Look after the workers.

        The library keeps the worker's end of its line open here, too, and so would wait for the
        answer of one that is dead, as long as it waits for one that starts.
        """
        for process in self.processes:
            process.child_conn.close()
        super().keep_subprocess_alive()


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

    Some settings last from one statement to the next, so DATABASE_URL must lead to PostgreSQL
    itself, or to a pooler in session mode; PgBouncer's transaction mode does not do.
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
    old, compares bindings with Xero once a day, and clears what is stale. With METRICS_PORT it
    serves its metrics and health there.
    """
    settings = load()
    configure_logging(level=settings.log_level, form=settings.log_format)
    # One round may be done beside the process that does them all, which has the port.
    listener = None if once else metrics_port.listen(settings)
    asyncio.run(_upkeep(settings, once=once, listener=listener))


async def _upkeep(settings: Settings, *, once: bool, listener: socket | None) -> None:
    await wiring.check_key(settings)
    shutdown = ShutdownState()
    port = MetricsPort(listener, shutdown) if listener else None
    async with services_with_metrics_port(settings, Metrics(), port) as services:
        if once:
            await services.upkeep.round()
            return
        interval = timedelta(seconds=settings.upkeep_interval_seconds)
        rounds = asyncio.create_task(services.upkeep.run(interval))

        def stop() -> None:
            shutdown.has_begun = True
            rounds.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        with contextlib.suppress(asyncio.CancelledError):
            await rounds


def openapi() -> None:
    """Print the API's OpenAPI document."""
    typer.echo(json.dumps(assemble().openapi(), indent=2))
