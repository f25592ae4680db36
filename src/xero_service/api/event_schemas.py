"""JSON schemas of events, as pollers read them and webhook endpoints receive them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from xero_service.api import examples
from xero_service.api.binding_schemas import ResponseBody
from xero_service.domain import EventKind
from xero_service.services.events.outbox import EventPage


class Event(ResponseBody):
    """A fact about a binding; the body of a webhook delivery is the same."""

    id: str = Field(
        description="Of this event, the same in every delivery of it (`webhook-id`).",
        examples=[examples.EVENT],
    )
    kind: EventKind | str = Field(
        description="What happened. Of Xero's own webhooks: `xero.<category>.<type>`, such as "
        "`xero.invoice.update`. Newer versions may add kinds.",
        examples=[EventKind.BINDING_NEEDS_REAUTH],
    )
    occurred_at: datetime = Field(description="When (UTC).", examples=[examples.CONNECTED_AT])
    org_id: str | None = Field(description="The org.", examples=[examples.ORG])
    binding_id: UUID | None = Field(
        description="The binding that it is about.", examples=[examples.BINDING]
    )
    tenant_id: str | None = Field(
        description="The organisation, by Xero's `tenantId`.", examples=[examples.TENANT]
    )
    data: dict[str, Any] = Field(
        description="What else is known; the names depend on `kind`. Of Xero's webhooks: Xero's "
        "own event.",
        examples=[{}],
    )


class EventList(ResponseBody):
    """Events after a cursor, and the cursor after them."""

    events: list[Event] = Field(description="The oldest first.")
    next: int = Field(
        description="Send it as `after` for what follows; also where `events` is empty.",
        examples=[68342785],
    )

    @classmethod
    def of(cls, page: EventPage) -> Self:
        """Return the JSON of a page."""
        return cls(
            events=[Event.model_validate(each.to_json()) for each in page.events],
            next=page.next.number,
        )
