"""Control routes of faults: inject, show, release, remove."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from xero_sandbox.fault_registry import Fault, FaultOrder
from xero_sandbox.routes.dependencies import SandboxDep
from xero_sandbox.state import SandboxState

router = APIRouter(prefix="/control/faults", tags=["control of faults"])


@router.post("", status_code=201)
async def arrange(order: FaultOrder, sandbox: SandboxDep) -> dict[str, Any]:
    """Inject a fault into the next requests of a kind."""
    if order.xero_user_id is not None:
        user = sandbox.directory.user(order.xero_user_id)
        order = order.model_copy(update={"xero_user_id": user.xero_user_id})
    return sandbox.faults.add(order).to_json()


@router.get("")
async def faults(sandbox: SandboxDep) -> list[dict[str, Any]]:
    """List the injected faults, used-up ones too."""
    return [fault.to_json() for fault in sandbox.faults.all]


@router.delete("", status_code=204)
async def clear(sandbox: SandboxDep) -> None:
    """Remove every fault and resume all held requests."""
    await sandbox.faults.clear()


@router.get("/{fault_id}")
async def fault(
    fault_id: int,
    sandbox: SandboxDep,
    wait_for: Annotated[int, Query(alias="waitFor", ge=0)] = 0,
    timeout_seconds: Annotated[float, Query(alias="timeoutSeconds", ge=0)] = 10,
) -> dict[str, Any]:
    """Return a fault; with `waitFor`, when that many requests are held, or 408 on timeout."""
    found = _find(fault_id, sandbox)
    if not await found.wait_for(wait_for, timeout_seconds=timeout_seconds):
        raise HTTPException(408, f"Only {found.holding} requests are held.")
    return found.to_json()


@router.post("/{fault_id}/release")
async def release(fault_id: int, sandbox: SandboxDep) -> dict[str, Any]:
    """Resume the held requests; the fault holds no further ones."""
    found = _find(fault_id, sandbox)
    await found.release()
    return found.to_json()


def _find(fault_id: int, sandbox: SandboxState) -> Fault:
    found = sandbox.faults.find(fault_id)
    if found is None:
        raise HTTPException(404, "There is no such fault.")
    return found
