"""The route class of the token and proxy routes: documented by FastAPI, parsed by hand.

FastAPI's parsing of a request takes longer than the use case behind it (docs/decisions/0013).
These routes are declared like all others. This module parses their requests by the same
declarations and with the same responses, then calls the endpoint.
"""

from collections.abc import Callable
from json import JSONDecodeError
from typing import Any, get_type_hints
from uuid import UUID

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from xero_service.api.content_negotiation import is_json
from xero_service.api.deps import services
from xero_service.api.key_auth import OrgId, key_bearer, service_credentials
from xero_service.errors import InvalidRequest

_BINDING_ID = TypeAdapter[UUID](UUID)
_ORG_ID = TypeAdapter[str | None](OrgId | None)


class ServiceRoute(APIRoute):
    """A route for a service key and a binding.

    Its endpoint takes `bindingId`, `credentials`, `services`, every other part of the path by its
    name and, if the route has a body, `body`. It returns a model or a response.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Accepts the arguments of `APIRoute`."""
        super().__init__(path, endpoint, **options)
        declared_body = get_type_hints(endpoint, include_extras=True).get("body")
        body_type = TypeAdapter[Any](declared_body) if declared_body else None

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            answer = await endpoint(**await _parse(request, body_type))
            response = _json_response(answer) if isinstance(answer, BaseModel) else answer
            await response(scope, receive, send)

        self.app = answer


async def _parse(request: Request, body_type: TypeAdapter[Any] | None) -> dict[str, Any]:
    """Return the arguments of an endpoint, checked in the order in which FastAPI checks.

    Raises AuthError without a service key, InvalidRequest or RequestValidationError for what
    cannot be read or is not valid.
    """
    arguments: dict[str, Any] = dict(request.path_params)
    errors: list[Any] = []

    def check(adapter: TypeAdapter[Any], value: object, *place: str) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False)
            errors.extend({**each, "loc": (*place, *each["loc"])} for each in found)
            return None

    body = None if body_type is None else await _read_body(request)
    org_id = check(_ORG_ID, request.headers.get("x-org-id"), "header", "X-Org-Id")
    if not errors:
        arguments["credentials"] = await service_credentials(
            request, await key_bearer(request), org_id
        )
    arguments["bindingId"] = check(_BINDING_ID, arguments["bindingId"], "path", "bindingId")
    if body_type is not None:
        arguments["body"] = check(body_type, body, "body")
    if errors:
        raise RequestValidationError(errors)
    arguments["services"] = await services(request)
    return arguments


async def _read_body(request: Request) -> Any:
    """Return the JSON that a request carries, None without a body, or the bytes of another type.

    Raises InvalidRequest or RequestValidationError where it cannot be read.
    """
    try:
        content = await request.body()
        if not content:
            return None
        return await request.json() if is_json(request) else content
    except JSONDecodeError as error:
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body",)}]) from error
    except (ValueError, RecursionError, ClientDisconnect) as error:
        raise InvalidRequest("The body cannot be read.") from error


def _json_response(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")
