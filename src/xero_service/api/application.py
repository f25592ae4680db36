"""What holds for every port of the service, and where its API begins."""

from typing import Any

from fastapi import FastAPI

PREFIX = "/api/integrations/xero"


def new_application(**options: Any) -> FastAPI:
    """Return an application without routes; `options`: FastAPI's own, beyond these."""
    return FastAPI(
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would repeat whatever Host the request names
        # The framework's own would hand raw requests to whatever else is configured.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        **options,
    )
