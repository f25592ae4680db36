"""GET /events: the events of an org in commit order, for services that cannot be called."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, StringConstraints

from xero_service.api import problems
from xero_service.api.application import PREFIX
from xero_service.api.deps import ServicesDep
from xero_service.api.event_schemas import EventList
from xero_service.api.graceful_shutdown import is_shutting_down
from xero_service.api.key_auth import EventReaderDep
from xero_service.domain import EventCursor, EventKind, check_kind
from xero_service.errors import CursorGone

router = APIRouter(prefix=PREFIX, tags=["events"])
Kind = Annotated[str, StringConstraints(max_length=100), AfterValidator(check_kind)]


@router.get(
    "/events",
    operation_id="listEvents",
    summary="Poll for events",
    responses=problems.responses(
        *problems.SERVICE_KEY, CursorGone, *problems.SESSION_UNAVAILABLE[:1]
    ),
)
async def list_events(
    request: Request,
    caller: EventReaderDep,
    services: ServicesDep,
    after: Annotated[
        int,
        Query(
            ge=0,
            le=2**63 - 1,
            description="The `next` of the last answer; 0: from the oldest event that is kept.",
            examples=[0],
        ),
    ] = 0,
    limit: Annotated[
        int, Query(ge=1, le=200, description="How many events at most.", examples=[50])
    ] = 50,
    kind: Annotated[
        list[Kind] | None,
        Query(
            max_length=50,
            description="Only events of this kind; repeat it for several. `binding.*` and `xero.*` "
            "stand for all that begin so.",
            examples=[[EventKind.BINDING_NEEDS_REAUTH]],
        ),
    ] = None,
    wait: Annotated[
        float,
        Query(
            ge=0,
            le=25,
            description="Seconds to wait for an event where there is none yet.",
            examples=[20],
        ),
    ] = 0,
) -> EventList:
    """List the org's events after a cursor, oldest first, and wait for new ones.

    Who: a service key with `events:read`. Store `next` once the events of the answer are
    processed, and send it as `after`: no event is skipped, and none is repeated. Events are kept
    for `EVENTS_RETENTION_DAYS`. A waiting request is answered as soon as an event is committed.
    410 `cursor_gone`: the database was restored and the cursor is of an event that it lost;
    `detail` says how to continue.
    """
    page = await services.outbox.page(
        caller.org_id,
        after=EventCursor.of(after),
        kinds=kind or (),
        limit=limit,
        wait=wait,
        is_stopping=lambda: is_shutting_down(request.scope),
    )
    return EventList.of(page)
