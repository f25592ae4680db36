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

from xero_service import wiring
from xero_service.api import metrics_port
from xero_service.app import build_worker
from xero_service.settings import load
from xero_service.telemetry import worker_metrics
from xero_service.timeouts import KEEP_ALIVE_SECONDS, OPEN_REQUESTS_SECONDS

HTTP_PROTOCOL = "xero_service.api.http_protocol:BoundedHttp"
OPEN_FILES = 8192  # enough for the connections of that protocol and those to Xero
# A worker answers its first health check after its imports. With uvicorn's 5 seconds a slow start
# (a busy machine, no compiled files) would have workers replaced forever.
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
    settings = load()  # fail here, with all faults, and not in each worker
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
                workers=workers,  # without it uvicorn reads WEB_CONCURRENCY
                log_config=None,
                access_log=False,
                server_header=False,
                # Take the client address from the headers of these proxies only.
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
    """Starts workers, and replaces one at once when it has ended."""

    def keep_subprocess_alive(self) -> None:
        """Replace ended workers.

        uvicorn leaves the worker's end of its pipe open in this process, and so would wait for the
        pong of a dead worker until the health check times out.
        """
        for process in self.processes:
            process.child_conn.close()
        super().keep_subprocess_alive()


def _allow_open_files() -> None:
    """Raise the soft limit of open files, by default 1,024, as far as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
