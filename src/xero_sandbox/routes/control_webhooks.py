"""Control routes of Xero's webhooks: subscription, intent to receive, events, deliveries."""

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import Field

from xero_sandbox.json_model import JsonModel
from xero_sandbox.routes.dependencies import SandboxDep
from xero_sandbox.state import SandboxState
from xero_sandbox.webhook_events import EventOrder

router = APIRouter(prefix="/control/webhooks", tags=["control of webhooks"])


class SubscriptionOrder(JsonModel):
    """Where webhooks go, and the key that signs them."""

    url: str = Field(
        description="The receiver's address; the real Xero requires HTTPS on port 443.",
        examples=["http://localhost:8000/api/integrations/xero/webhooks/xero"],
        pattern=r"^https?://",
    )
    key: str | None = Field(
        default=None, description="The webhook key; null: a random one.", examples=[None]
    )


class EventOrders(JsonModel):
    """Events that are sent together."""

    events: list[EventOrder] = Field(
        description="The events, in order; they may be of several organisations.",
        min_length=1,
        max_length=1000,
        examples=[[{"tenantId": "20000000-0000-4000-8000-000000000001"}]],
    )


class Settling(JsonModel):
    """How long to wait."""

    timeout_seconds: float = Field(
        default=30, ge=0, le=300, description="The limit in seconds.", examples=[30]
    )


@router.get("")
async def read(sandbox: SandboxDep) -> dict[str, Any]:
    """Return the subscription, with its key, and the number of events that wait."""
    return _subscription(sandbox)


@router.post("")
async def subscribe(order: SubscriptionOrder, sandbox: SandboxDep) -> dict[str, Any]:
    """Set the receiver; it gets no events before intent to receive was validated."""
    sandbox.webhooks.subscribe(order.url, order.key)
    return _subscription(sandbox)


@router.delete("", status_code=204)
async def unsubscribe(sandbox: SandboxDep) -> None:
    """Remove the subscription and its events."""
    await sandbox.webhooks.unsubscribe()


@router.post("/intent")
async def intent(sandbox: SandboxDep) -> dict[str, Any]:
    """Send intent to receive, and return the subscription with the result."""
    if sandbox.webhooks.subscription.status == "none":
        raise HTTPException(409, "Set the receiver first: POST /control/webhooks.")
    await sandbox.webhooks.validate_intent()
    return _subscription(sandbox)


@router.post("/events")
async def emit(order: EventOrders, sandbox: SandboxDep) -> dict[str, int]:
    """Send events, and return their sequence numbers; before intent was validated they wait."""
    numbers = sandbox.webhooks.emit(order.events)
    if numbers is None:
        raise HTTPException(409, "Set the receiver first: POST /control/webhooks.")
    return {"firstEventSequence": numbers[0], "lastEventSequence": numbers[1]}


@router.post("/settle")
async def settle(order: Settling, sandbox: SandboxDep) -> dict[str, Any]:
    """Wait until every attempt that is due by the clock was made."""
    if not await sandbox.webhooks.settle(timeout_seconds=order.timeout_seconds):
        raise HTTPException(408, "Attempts are still under way.")
    return _subscription(sandbox)


@router.get("/deliveries")
async def deliveries(sandbox: SandboxDep, since: int = 0) -> list[dict[str, Any]]:
    """List the attempts after number `since`, those of intent to receive too."""
    return [each.to_json() for each in sandbox.webhooks.deliveries[since:]]


def _subscription(sandbox: SandboxState) -> dict[str, Any]:
    subscription = sandbox.webhooks.subscription
    return {
        "url": subscription.url or None,
        "key": subscription.key or None,
        "status": subscription.status,
        "problem": subscription.problem,
        "nextEventSequence": sandbox.webhooks.queue.next_sequence,
        "waitingEvents": len(sandbox.webhooks.queue),
    }
