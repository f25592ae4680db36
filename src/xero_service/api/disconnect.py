"""POST /disconnect: end a binding."""

from fastapi import APIRouter

from xero_service.api import problems
from xero_service.api.application import PREFIX
from xero_service.api.binding_schemas import Binding
from xero_service.api.deps import ServicesDep
from xero_service.api.key_auth import BindingsWriterDep
from xero_service.api.schemas import DisconnectAnswer, DisconnectRequest
from xero_service.errors import BodyTooLarge, ImpersonationRefused, NotFound

router = APIRouter(prefix=PREFIX, tags=["bindings"])


@router.post(
    "/disconnect",
    operation_id="disconnectBinding",
    summary="Disconnect an organisation",
    responses=problems.responses(
        *problems.ADMIN_OR_KEY,
        ImpersonationRefused,
        NotFound,
        BodyTooLarge,
        *problems.SESSION_UNAVAILABLE,
    ),
)
async def disconnect(
    request: DisconnectRequest, caller: BindingsWriterDep, services: ServicesDep
) -> DisconnectAnswer:
    """End a binding here at once, and at Xero as soon as Xero answers; repeating is harmless.

    Who: an admin of the org, in person, or a service key with `bindings:write`.
    """
    ended, view = await services.disconnects.disconnect_and_view(
        request.tenant_binding_id, caller.org_id, caller.actor
    )
    return DisconnectAnswer(
        binding=Binding.of(view),
        grant_revoked=ended.grant_revoked,
        remote_cleanup=ended.remote,
    )
