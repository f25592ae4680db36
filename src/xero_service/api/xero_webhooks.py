"""POST /webhooks/xero: Xero's own webhooks; services/events/xero_signature.py verifies them."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from xero_service.api import body_limit, examples, problems
from xero_service.api.application import PREFIX
from xero_service.api.content_negotiation import is_json
from xero_service.api.deps import ServicesDep
from xero_service.errors import (
    BodyTooLarge,
    MalformedRequest,
    NotFound,
    RequestTimeout,
    ServiceBusy,
    UnsupportedMediaType,
)
from xero_service.services.events.xero_webhooks import WebhookRequest

router = APIRouter(prefix=PREFIX, tags=["events"])
SIGNATURE = "x-xero-signature"
# Written by hand: the signature covers the bytes, so FastAPI must not parse them.
_REQUEST: dict[str, Any] = {
    "parameters": [
        {
            "name": SIGNATURE,
            "in": "header",
            "required": True,
            "description": "HMAC-SHA256 of the body's bytes with the webhook key, in Base64.",
            "schema": {
                "type": "string",
                "examples": ["mYm3zYbUoSy2Ddo0cvb2mLTAfWDkZEcDKgPpQzXbz6Y="],
            },
        }
    ],
    "requestBody": {
        "description": "At most 1 MiB. Categories and fields that are not known pass.",
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object", "examples": [examples.XERO_WEBHOOK]}}
        },
    },
}


@router.post(
    "/webhooks/xero",
    operation_id="receiveXeroWebhook",
    summary="Receive a webhook of Xero",
    response_class=Response,
    responses={
        200: {"description": "The events are committed. Without a body."},
        401: {"description": "The signature is missing or wrong. Without a body."},
        **problems.responses(
            MalformedRequest,
            NotFound,
            RequestTimeout,
            BodyTooLarge,
            UnsupportedMediaType,
            ServiceBusy,
        ),
    },
    openapi_extra=_REQUEST,
)
async def receive(request: Request, services: ServicesDep) -> Response:
    """Commit the events that Xero sends, each once, for the orgs that have bound their tenants.

    Who: Xero, by the signature; nothing of an unsigned body is parsed. 200 and 401 have no body
    and no cookie, as Xero requires. 404 where `XERO_WEBHOOK_KEY` is not set.
    """
    body_limit.exempt(request.scope)  # services/events/webhook_bodies.py limits it
    signatures = request.headers.getlist(SIGNATURE)
    declared = request.headers.get("content-length", "")
    is_signed = await services.xero_webhooks.receive(
        WebhookRequest(
            parts=_parts(request),
            declared=int(declared) if declared.isdecimal() else None,
            signature=signatures[0].encode("latin-1") if len(signatures) == 1 else b"",
            is_json=is_json(request),
        )
    )
    return Response(status_code=200 if is_signed else 401)


async def _parts(request: Request) -> AsyncIterator[bytes]:
    try:
        async for part in request.stream():
            yield part
    except ClientDisconnect as error:
        raise MalformedRequest("The body ended before its announced length.") from error
