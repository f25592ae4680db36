"""Limits the size of request bodies, which FastAPI reads before it authenticates the caller.

FastAPI's `max_body_size` responds in plain text where a length was declared, and every failure of
this service is a problem document.
"""

from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 * 1024  # for all routes but the proxy's; their bodies are far smaller
_LIMIT = "xero_service.body_limit"


@dataclass(slots=True)
class _Limit:
    declared: bytes
    is_enforced: bool = True
    read: int = field(default=0)

    def check(self) -> None:
        """Raise 413, which FastAPI passes on unchanged and api/problems.py makes BodyTooLarge."""
        declared = int(self.declared) if self.declared.isdigit() else 0
        if self.is_enforced and max(declared, self.read) > MAX_BODY_BYTES:
            raise HTTPException(413)


@dataclass(frozen=True, slots=True)
class BodyLimitMiddleware:
    """Stops reading at the limit, or before the first byte where the declared length exceeds it."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = scope[_LIMIT] = _Limit(dict(scope["headers"]).get(b"content-length", b""))

        async def receive_limited() -> Message:
            limit.check()
            message = await receive()
            limit.read += len(message.get("body", b""))
            limit.check()
            return message

        await self.app(scope, receive_limited, send)


def exempt(scope: Scope) -> None:
    """Lift the limit for this request; the route must enforce its own."""
    limit: _Limit = scope[_LIMIT]
    limit.is_enforced = False
