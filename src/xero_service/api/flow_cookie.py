"""The flow cookie: a random id per browser, which ties a callback to the browser that started."""

import re

from starlette.requests import Request
from starlette.responses import Response

from xero_service.settings import Settings

LIFETIME_SECONDS = 24 * 60 * 60
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{43,86}")  # 256 bits or more in base64url


def name(settings: Settings) -> str:
    """Return the cookie's name; by its prefix browsers require Secure, Path=/ and no Domain.

    Browsers refuse the prefix without TLS, which only a local service lacks.
    """
    return "__Host-xero_flow" if settings.served_over_https else "xero_flow"


def read(request: Request, settings: Settings) -> str | None:
    """Return the browser's id, or None without a well-formed one."""
    value = request.cookies.get(name(settings), "")
    return value if _WELL_FORMED.fullmatch(value) else None


def write(response: Response, settings: Settings, browser_id: str) -> None:
    """Set the cookie; SameSite=Lax, because Xero returns the browser by a navigation."""
    response.set_cookie(
        name(settings),
        browser_id,
        max_age=LIFETIME_SECONDS,
        path="/",
        secure=settings.served_over_https,
        httponly=True,
        samesite="lax",
    )
