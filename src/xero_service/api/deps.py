"""Dependencies that do not depend on the caller: the services, and the binding in a path."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request

from xero_service.api import examples
from xero_service.wiring import Services


async def services(request: Request) -> Services:
    """Return the application's services; async, because FastAPI runs others in a thread."""
    wired = request.app.state.services
    assert isinstance(wired, Services)  # noqa: S101 - set by the lifespan
    return wired


ServicesDep = Annotated[Services, Depends(services)]
BindingPath = Annotated[
    UUID,
    Path(
        description="The binding: the `id` of one of `GET /bindings`.", examples=[examples.BINDING]
    ),
]
