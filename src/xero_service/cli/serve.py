"""`xero-service serve`: the API in one process, or in several that share the port."""

import asyncio
import contextlib
import resource
import sys
from functools import partial
from typing import Annotated

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from xero_service import wiring, worker_metrics
from xero_service.api import metrics_port
from xero_service.app import build_worker
from xero_service.settings import load
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
