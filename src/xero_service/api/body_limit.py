"""Bodies end at a limit, since the framework reads them before anybody asks who sends them.

The framework's own `max_body_size` answers in plain text wherever a length was declared, and
every failure here is a problem; hence this.
"""

from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

AT_MOST = 64 * 1024  # bytes; the largest that any route but the proxy's has a use for is tiny
_LIMIT = "xero_service.body_limit"


@dataclass(slots=True)
class _Limit:
    declared: bytes
    holds: bool = True
    read: int = field(default=0)

    def check(self) -> None:
        """Raise what the framework passes on as it is: 413, which becomes BodyTooLarge."""
        declared = int(self.declared) if self.declared.isdigit() else 0
        if self.holds and max(declared, self.read) > AT_MOST:
            raise HTTPException(413)


@dataclass(frozen=True, slots=True)
class BodyLimitMiddleware:
    """Stops reading at the limit, or before the first byte where too much is declared."""

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
    """Let the body of this request pass whole: whoever calls this has a limit of their own."""
    limit: _Limit = scope[_LIMIT]
    limit.holds = False
