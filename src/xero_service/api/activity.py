"""GET /activity: the audit events of an org, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query

from xero_service.api import problems
from xero_service.api.application import PREFIX
from xero_service.api.deps import ServicesDep
from xero_service.api.key_auth import ActivityReaderDep
from xero_service.api.schemas import ActivityPage

router = APIRouter(prefix=PREFIX, tags=["activity"])


@router.get(
    "/activity",
    operation_id="listActivity",
    summary="List what happened lately",
    responses=problems.responses(*problems.ADMIN_OR_KEY, *problems.SESSION_UNAVAILABLE),
)
async def list_activity(
    caller: ActivityReaderDep,
    services: ServicesDep,
    after: Annotated[
        int | None,
        Query(
            ge=1,
            le=2**63 - 1,
            description="The `next` of the page before; without it, the newest events.",
            examples=[1042],
        ),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=200, description="How many events at most.", examples=[50])
    ] = 50,
) -> ActivityPage:
    """List what people, services and the system did, newest first, page by page.

    Who: an admin of the org, or a service key with `activity:read`. To poll, read from the newest
    down to the event that you saw last. Ids only grow: an event never appears below one that was
    listed, also where several are recorded at the same moment. Compare `id` and `occurredAt`: a
    database that was restored from a backup gives the ids of what it lost to other events. Where
    you come to a lower id and have not met yours, read down to the newest one that you know.
    """
    page = await services.activity.of_org(caller.org_id, after=after, limit=limit)
    return ActivityPage.model_validate(page)
