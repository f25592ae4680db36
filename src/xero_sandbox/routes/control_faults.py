"""Control of faults: arrange, watch, release, remove."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from xero_sandbox.faults import Fault, FaultOrder
from xero_sandbox.routes.inside import WorldDep
from xero_sandbox.world import World

router = APIRouter(prefix="/control/faults", tags=["control of faults"])


@router.post("", status_code=201)
async def arrange(order: FaultOrder, world: WorldDep) -> dict[str, Any]:
    """Arrange a fault for the next requests of a kind."""
    if order.xero_user_id is not None:
        user = world.registry.user(order.xero_user_id)
        order = order.model_copy(update={"xero_user_id": user.xero_user_id})
    return world.faults.arrange(order).document()


@router.get("")
async def faults(world: WorldDep) -> list[dict[str, Any]]:
    """List the faults arranged, spent ones too."""
    return [fault.document() for fault in world.faults.all]


@router.delete("", status_code=204)
async def clear(world: WorldDep) -> None:
    """Remove every fault and let all held requests go."""
    await world.faults.clear()


@router.get("/{fault_id}")
async def fault(
    fault_id: int,
    world: WorldDep,
    wait_for: Annotated[int, Query(alias="waitFor", ge=0)] = 0,
    timeout_seconds: Annotated[float, Query(alias="timeoutSeconds", ge=0)] = 10,
) -> dict[str, Any]:
    """Show one fault; with `waitFor`, once so many requests are held, else 408."""
    found = _find(fault_id, world)
    if not await found.wait_for(wait_for, timeout_seconds=timeout_seconds):
        raise HTTPException(408, f"Only {found.holding} requests are held.")
    return found.document()


@router.post("/{fault_id}/release")
async def release(fault_id: int, world: WorldDep) -> dict[str, Any]:
    """Let the held requests go; the fault holds no further ones."""
    found = _find(fault_id, world)
    await found.release()
    return found.document()


def _find(fault_id: int, world: World) -> Fault:
    found = world.faults.find(fault_id)
    if found is None:
        raise HTTPException(404, "There is no such fault.")
    return found
