"""Builds the FastAPI application: routers, problem handlers, middleware, lifespan."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from socket import socket

from fastapi import FastAPI
from fastapi.routing import APIRoute

from xero_service.api import (
    activity,
    bindings,
    callback,
    disconnect,
    documentation,
    events,
    notices,
    ops,
    problems,
    proxy,
    refresh,
    spa,
    start,
    tenants,
    tokens,
    xero_webhooks,
)
from xero_service.api.application import PREFIX as PREFIX
from xero_service.api.application import new_application
from xero_service.api.body_limit import BodyLimitMiddleware
from xero_service.api.cors import CorsMiddleware
from xero_service.api.graceful_shutdown import GracefulShutdown, ShutdownState
from xero_service.api.metrics_port import MetricsPort, services_with_metrics_port
from xero_service.api.middleware import RequestLogMiddleware, SecurityHeaders
from xero_service.settings import Settings, load
from xero_service.telemetry import Metrics, configure_logging, worker_metrics

# The most frequent routes come first.
ROUTERS = (
    tokens,
    proxy,
    ops,
    start,
    callback,
    bindings,
    tenants,
    disconnect,
    refresh,
    activity,
    events,
    xero_webhooks,
    notices,
)

ROUTES = [route for module in ROUTERS for route in module.router.routes]

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def assemble(lifespan: Lifespan | None = None) -> FastAPI:
    """Return the application without configuration: enough for its OpenAPI document."""
    app = new_application(
        title="Xero connection service",
        version="0.1.0",
        summary="Connect once, bind many, never lose a grant.",
        lifespan=lifespan,
        separate_input_output_schemas=False,
    )
    # FastAPI searches an included router twice per request and builds its routes again.
    app.router.routes.extend(ROUTES)
    problems.install(app)
    app.add_middleware(BodyLimitMiddleware)
    documentation.install(app)
    return app


def create_app(
    settings: Settings,
    *,
    upkeep: bool = True,
    metrics: Metrics | None = None,
    metrics_port: MetricsPort | None = None,
) -> FastAPI:
    """Return the application as it is served; `upkeep`: also run the periodic work."""
    metrics = metrics or Metrics()
    expect_routes(metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with services_with_metrics_port(settings, metrics, metrics_port) as services:
            app.state.services = services
            if not upkeep:
                yield
                return
            interval = timedelta(seconds=settings.upkeep_interval_seconds)
            rounds = asyncio.create_task(services.upkeep.run(interval))
            try:
                yield
            finally:
                rounds.cancel()
                with suppress(asyncio.CancelledError):
                    await rounds

    app = assemble(lifespan)
    if settings.spa_dir is not None:
        spa.install(app, settings.spa_dir, issuer=settings.auth_issuer)
    app.add_middleware(
        CorsMiddleware,
        allow_origins=[settings.frontend_url],
        allow_credentials=True,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-Request-Id"],
        expose_headers=["X-Request-Id", "Retry-After"],
        max_age=600,
    )
    app.add_middleware(SecurityHeaders, https=settings.served_over_https)
    app.add_middleware(RequestLogMiddleware, metrics=metrics, prefix=PREFIX)
    return app


def expect_routes(metrics: Metrics) -> None:
    """Create the series of every route and status that the API declares."""
    for route in ROUTES:
        if isinstance(route, APIRoute):
            path = route.path.removeprefix(PREFIX)
            declared = {int(status) for status in route.responses if str(status).isdecimal()}
            for method in route.methods or ():
                metrics.expect(method, path, {route.status_code or 200, 500} | declared)
    metrics.expect("GET", "unmatched", {404})


def build_worker(
    *, upkeep: bool, metrics_listener: socket | None, metrics_directory: Path | None
) -> GracefulShutdown:
    """Read the configuration and return the application of one worker of `xero-service serve`.

    `metrics_listener`: METRICS_PORT, which all workers share. `metrics_directory`: where they
    keep their metrics, if they are several.
    """
    settings = load()
    configure_logging(level=settings.log_level, form=settings.log_format)
    workers = worker_metrics.join(metrics_directory) if metrics_directory else None
    shutdown = ShutdownState()
    app = create_app(
        settings,
        upkeep=upkeep,
        metrics=Metrics(workers),
        metrics_port=MetricsPort(metrics_listener, shutdown) if metrics_listener else None,
    )
    # A full collection that includes the imported modules stops all requests for 82 ms (ADR 0013).
    gc.freeze()
    return GracefulShutdown(app, notice=settings.drain_notice_seconds, shutdown=shutdown)
