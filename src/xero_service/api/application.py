"""The FastAPI application of each port without its routes, and the prefix of the API."""

from typing import Any

from fastapi import FastAPI

PREFIX = "/api/integrations/xero"


def new_application(**options: Any) -> FastAPI:
    """Return an application without routes; `options` are passed on to FastAPI."""
    return FastAPI(
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the request's Host header
        # FastAPI's own telemetry would export raw requests wherever an exporter is configured.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        **options,
    )
