"""GET and POST /notices/unsubscribe: the link in a mail about a binding."""

import base64
import hashlib
from html import escape
from string import Template
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from xero_service.api import examples, problems
from xero_service.api.application import PREFIX
from xero_service.api.deps import ServicesDep
from xero_service.errors import NotFound, ServiceBusy
from xero_service.services.events.notice_mail import KINDS

router = APIRouter(prefix=PREFIX, tags=["notices"])
Token = Annotated[
    str,
    Query(
        description="From the link in a mail, signed.",
        max_length=200,
        examples=[examples.UNSUBSCRIBE_TOKEN],
    ),
]
STYLE = """
:root { color-scheme: light dark; --bg: #fafafa; --card: #fff; --text: #18181b; --muted: #5d5d64;
  --border: #e4e4e7; --button: #18181b; --on-button: #fafafa; }
@media (prefers-color-scheme: dark) { :root { --bg: #0c0c0e; --card: #151517; --text: #f5f5f6;
  --muted: #aaaab2; --border: #2d2d31; --button: #f5f5f6; --on-button: #161619; } }
body { margin: 0; padding: 3rem 1rem; background: var(--bg); color: var(--text);
  font: 0.875rem/1.6 ui-sans-serif, system-ui, sans-serif; }
main { max-width: 30rem; margin: 0 auto; padding: 1.75rem; background: var(--card);
  border: 1px solid var(--border); border-radius: 0.875rem; }
h1 { margin: 0 0 0.5rem; font-size: 1.125rem; }
p { margin: 0; color: var(--muted); }
form { margin: 1.25rem 0 0; }
button { padding: 0.5rem 1rem; border: 0; border-radius: 0.5rem; font: inherit; font-weight: 500;
  background: var(--button); color: var(--on-button); cursor: pointer; }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CSP = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
PAGE = Template(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>$title</h1>
<p>$text</p>
$form
</main>
</body>
</html>
""")
# Without an action: the form is sent to the address of the page, token included.
FORM = '<form method="post"><button>Unsubscribe</button></form>'
SHOWN = {
    "text/html": {
        "schema": {"type": "string"},
        "examples": {"page": {"summary": "A page", "value": examples.UNSUBSCRIBE_PAGE}},
    }
}
_PROBLEMS = problems.responses(NotFound, ServiceBusy)


@router.get(
    "/notices/unsubscribe",
    operation_id="askToUnsubscribe",
    summary="Ask before unsubscribing from mail",
    response_class=HTMLResponse,
    responses={
        200: {
            "description": "A page with one button.",
            "content": SHOWN,
        },
        **_PROBLEMS,
    },
)
async def ask(token: Token, services: ServicesDep) -> HTMLResponse:
    """Show a page that asks, and change nothing: mail scanners follow links, too.

    Who: anybody who has the link in a mail. 404 where the link is not one of ours.
    """
    kinds = KINDS[await services.unsubscribing.kind_of(token)]
    return _page("Unsubscribe?", f"You will get no more mail about {kinds}.", FORM)


@router.post(
    "/notices/unsubscribe",
    operation_id="unsubscribe",
    summary="Unsubscribe from mail",
    response_class=HTMLResponse,
    responses={
        200: {
            "description": "Done. A page that says so.",
            "content": SHOWN,
        },
        **_PROBLEMS,
    },
)
async def unsubscribe(token: Token, services: ServicesDep) -> HTMLResponse:
    """End mail of the link's kind to the address that it was sent to; the body is not read.

    Who: anybody who has the link in a mail; also the mail client itself (RFC 8058). Repeating it is
    harmless.
    """
    kinds = KINDS[await services.unsubscribing.unsubscribe(token)]
    return _page("Unsubscribed", f"You get no more mail about {kinds}.")


def _page(title: str, text: str, form: str = "") -> HTMLResponse:
    page = PAGE.substitute(title=escape(title), text=escape(text), form=form)
    return HTMLResponse(page, headers={"Content-Security-Policy": CSP})
