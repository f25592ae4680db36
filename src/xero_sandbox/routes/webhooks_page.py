"""The page of webhooks: the receiver, its key, intent to receive, sample events, deliveries."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from xero_sandbox.routes.dependencies import SandboxDep
from xero_sandbox.webhook_events import EventOrder

router = APIRouter(prefix="/webhooks", include_in_schema=False)

_PAGES = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}
_CATEGORIES = ("INVOICE", "CONTACT", "CREDITNOTE", "PREPAYMENT", "OVERPAYMENT", "PAYMENT")
_SHOWN_DELIVERIES = 30
_STATUS = {
    "none": "No receiver",
    "intent_required": "Intent to receive required",
    "active": "OK",
    "disabled": "Disabled",
}


@router.get("", response_class=HTMLResponse)
async def page(request: Request, sandbox: SandboxDep) -> Response:
    """Serve the page."""
    webhooks = sandbox.webhooks
    values = {
        "subscription": webhooks.subscription,
        "status": _STATUS[webhooks.subscription.status],
        "problem": webhooks.subscription.problem,
        "waiting": len(webhooks.queue),
        "orgs": [org for org in sandbox.directory.orgs if org.status == "active"],
        "categories": _CATEGORIES,
        "deliveries": webhooks.deliveries[: -_SHOWN_DELIVERIES - 1 : -1],
    }
    return _PAGES.TemplateResponse(request, "webhooks.html", values, headers=dict(_HEADERS))


@router.post("", response_class=HTMLResponse)
async def act(request: Request, sandbox: SandboxDep) -> Response:
    """Carry out a button of the page; a form of another site is refused."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "Use the page of the sandbox.")
    form = await request.form()
    webhooks, action = sandbox.webhooks, form.get("action")
    if action == "subscribe" and str(form.get("url", "")).startswith(("http://", "https://")):
        webhooks.subscribe(str(form["url"]), str(form.get("key") or "") or None)
    elif action == "intent" and webhooks.subscription.status != "none":
        await webhooks.validate_intent()
    elif action == "emit":
        org = sandbox.directory.org(str(form.get("tenant")))
        webhooks.emit(
            [EventOrder(tenant_id=org.tenant_id, event_category=str(form.get("category")))]
        )
        await webhooks.settle(timeout_seconds=5)
    return RedirectResponse("/webhooks", 303, _HEADERS)
