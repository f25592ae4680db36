"""One rule says whether a binding may be used, whichever way its token is asked for."""

from itertools import product
from uuid import UUID

from tests.service_api.callers import Service, idle, problem
from tests.service_api.conftest import Connected
from tests.world import ACME, Application
from xero_service.domain import BindingStatus, GrantStatus
from xero_service.errors import IntegrationError

OK = "ok"


def expected(binding: BindingStatus, grant: GrantStatus) -> str:
    if binding is BindingStatus.REVOKED:
        return "not_found"
    if binding is BindingStatus.SUSPENDED:
        return "binding_suspended"
    both_active = binding is BindingStatus.ACTIVE and grant is GrantStatus.ACTIVE
    return OK if both_active else "reauthorization_required"


async def test_each_way_to_a_token_judges_every_status_alike(
    application: Application, billing: Service, connected: Connected
) -> None:
    """Each answers what the statuses of the binding and of its grant together mean."""
    binding_id, tokens = UUID(connected.id), application.services.tokens

    async def of_client() -> str:
        try:
            await tokens.get_client_for_tenant_binding(binding_id, ACME)
        except IntegrationError as error:
            return error.code
        return OK

    for binding, grant in product(BindingStatus, GrantStatus):
        await connected.world.database.execute("DELETE FROM suspended_tenants")
        await connected.world.database.execute(
            "WITH b AS (UPDATE integration_tenant_bindings SET status = $1)"
            " UPDATE integration_grants SET status = $2",
            binding,
            grant,
        )

        responses = [await billing.token(connected.id), await billing.calls(connected.id)]

        codes = {OK if each.status_code == 200 else problem(each)[1] for each in responses}
        assert codes | {await of_client()} == {expected(binding, grant)}, (binding, grant)
    await idle(application)
