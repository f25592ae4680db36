"""Operations: alive, ready, and what to watch."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from xero_service.api.deps import ServicesDep
from xero_service.errors import ServiceBusy
from xero_service.store.schema import expected_revision

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether the service can do its work, and what keeps it from it."""

    status: Literal["ready", "not_ready"]
    database: Literal["ok", "unavailable"]
    migrations: Literal["current", "pending", "unknown"]


@router.get("/healthz", operation_id="health")
async def healthz() -> Alive:
    """Tell that the process is alive; asks nothing of anybody else."""
    return Alive()


@router.get("/readyz", operation_id="readiness", responses={503: {"model": Ready}})
async def readyz(services: ServicesDep, response: Response) -> Ready:
    """Tell whether the database answers and its migrations are current."""
    try:
        revision = await services.database.revision()
    except ServiceBusy:
        response.status_code = 503
        return Ready(status="not_ready", database="unavailable", migrations="unknown")
    if revision != expected_revision():
        response.status_code = 503
        return Ready(status="not_ready", database="ok", migrations="pending")
    return Ready(status="ready", database="ok", migrations="current")


@router.get("/metrics", operation_id="metrics", response_class=Response)
async def metrics(services: ServicesDep) -> Response:
    """Return Prometheus metrics of this process."""
    return Response(services.metrics.render(), media_type="text/plain; version=0.0.4")
