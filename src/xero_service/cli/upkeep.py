"""`xero-service upkeep`: the periodic work, in a process of its own."""

import asyncio
import contextlib
import signal
from datetime import timedelta
from socket import socket
from typing import Annotated

import typer

from xero_service import wiring
from xero_service.api import metrics_port
from xero_service.api.graceful_shutdown import ShutdownState
from xero_service.api.metrics_port import MetricsPort, services_with_metrics_port
from xero_service.settings import Settings, load
from xero_service.telemetry import Metrics, configure_logging


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
    # One round may run beside the upkeep process, which holds the port.
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
