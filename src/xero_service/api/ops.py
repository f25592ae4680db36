"""The operations routes: /healthz, /readyz and /metrics."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from xero_service.api import problems
from xero_service.api.deps import ServicesDep
from xero_service.api.graceful_shutdown import SHUTTING_DOWN
from xero_service.errors import CodeOutdated, MigrationsPending, ServiceBusy
from xero_service.store import migrations

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field("ok", description="The process answers.")


class Ready(BaseModel):
    """The service can do its work."""

    status: Literal["ready"] = Field("ready", description="Requests may be sent here.")
    database: Literal["ok"] = Field("ok", description="The database answers and takes writes.")
    migrations: Literal["current"] = Field(
        "current", description="The schema is at or past what this code needs."
    )


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", operation_id="health", summary="Ask whether the process is alive")
async def healthz() -> Alive:
    """Tell that the process is alive; asks nothing of anybody else."""
    return Alive()


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    operation_id="readiness",
    summary="Ask whether requests may be sent here",
    responses=problems.responses(ServiceBusy, MigrationsPending, CodeOutdated),
)
async def readyz(request: Request, services: ServicesDep) -> Ready:
    """Tell whether a transaction that writes would work, and whether the process stays.

    The schema is at or past what this code needs, so older replicas serve on after `migrate`, and
    no contract migration has removed what this code uses.
    """
    if request.scope.get(SHUTTING_DOWN):
        raise ServiceBusy("This process is about to end.", retry_after=1)
    migrations.require(await services.database.schema_state())
    await services.database.require_writes()
    await services.database.require_checked()
    return Ready()


@router.head("/metrics", include_in_schema=False)
@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Read the Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Return Prometheus metrics of this process, and of all workers that share its port."""
    if not request.scope.get(SHUTTING_DOWN):  # then the database is about to be closed
        await services.state_metrics.measure()
    return Response(services.metrics.render(), media_type="text/plain; version=0.0.4")
