"""The flow cookie: one random id per browser, so that only who started can finish."""

import re

from starlette.requests import Request
from starlette.responses import Response

from xero_service.settings import Settings

LIFETIME_SECONDS = 24 * 60 * 60
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{43,86}")  # 256 bits and more, as we write them


def name(settings: Settings) -> str:
    """Return the cookie's name; the prefix makes browsers insist on Secure, Path=/ and no Domain.

    Without TLS browsers would refuse it, which happens on this machine only.
    """
    return "__Host-xero_flow" if settings.served_over_https else "xero_flow"


def read(request: Request, settings: Settings) -> str | None:
    """Return the browser's id where it has one."""
    value = request.cookies.get(name(settings), "")
    return value if _WELL_FORMED.fullmatch(value) else None


def write(response: Response, settings: Settings, browser_id: str) -> None:
    """Let the browser keep its id; Lax, because Xero sends it back by a navigation."""
    response.set_cookie(
        name(settings),
        browser_id,
        max_age=LIFETIME_SECONDS,
        path="/",
        secure=settings.served_over_https,
        httponly=True,
        samesite="lax",
    )
