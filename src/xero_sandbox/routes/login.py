"""login.xero.com: the consent page, and the error pages that do not redirect to the app."""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from xero_sandbox.authorize_request import (
    AuthorizeRefused,
    AuthorizeRequest,
    parse_authorize_request,
)
from xero_sandbox.connections import ConnectionLimitReached
from xero_sandbox.consent import ConsentRefused
from xero_sandbox.directory import NotInDirectory
from xero_sandbox.model import XeroUser
from xero_sandbox.routes.dependencies import EntryDep, SandboxDep
from xero_sandbox.state import SandboxState

router = APIRouter(prefix="/login", tags=["login"])

_PAGES = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")
_HEADERS = {
    # No form-action, because browsers also apply it to the redirect that follows the form.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


@router.get("/identity/connect/authorize", response_class=HTMLResponse)
async def authorize(request: Request, sandbox: SandboxDep, entry: EntryDep) -> Response:
    """Serve the consent page, or an error page if the request is invalid."""
    entry.client_id = request.query_params.get("client_id")
    try:
        parsed = parse_authorize_request(
            request.url.query,
            sandbox.config,
            sandbox.switches,
            broad_in_force=sandbox.broad_scopes_in_force,
        )
    except AuthorizeRefused as refused:
        entry.outcome = str(refused)
        return _page(request, "refused.html", 400, reason=str(refused))
    attempt = secrets.token_urlsafe(16)
    sandbox.attempts[attempt] = parsed
    entry.outcome = "consent page"
    return _consent_page(request, sandbox, attempt, parsed)


@router.post("/consent/{attempt}", response_class=HTMLResponse)
async def consent(attempt: str, request: Request, sandbox: SandboxDep, entry: EntryDep) -> Response:
    """Carry out the user's decision and redirect; each consent page can be used once."""
    parsed = sandbox.attempts.get(attempt)
    if parsed is None:
        entry.outcome = "unknown attempt"
        return _page(request, "refused.html", 400, reason="This page has been used already.")
    form = await request.form()
    action = str(form.get("action", ""))
    try:
        user = sandbox.directory.user(str(form.get("user", "")))
        tenant_ids = [str(tenant_id) for tenant_id in form.getlist(f"tenant-{user.key}")]
        if action == "enter":
            action = "allow" if _consent_options(user, sandbox)["open"] else "continue"
        if action not in ("allow", "cancel", "continue"):
            raise ConsentRefused("Choose one of the buttons.")
        target = sandbox.consent_flow.decide(parsed, action, user, tenant_ids)  # type: ignore[arg-type]
    except NotInDirectory:
        return _consent_page(request, sandbox, attempt, parsed, "Choose a Xero user first.")
    except ConsentRefused as refused:
        entry.outcome = str(refused)
        return _consent_page(request, sandbox, attempt, parsed, str(refused), user)
    except ConnectionLimitReached:
        entry.outcome = "connection limit"
        target = (
            f"{sandbox.config.base_url}/login/connectionLimit?app={quote(sandbox.config.app_name)}"
        )
    else:
        entry.outcome, entry.xero_user_id = action, user.xero_user_id
    del sandbox.attempts[attempt]
    return RedirectResponse(target, 302, _HEADERS)


@router.get("/connectionLimit", response_class=HTMLResponse)
async def connection_limit(request: Request, sandbox: SandboxDep) -> Response:
    """Serve the page for a reached connection limit; it does not redirect (facts §1.4)."""
    return _page(request, "connection_limit.html", 200, app_name=sandbox.config.app_name)


def _consent_page(
    request: Request,
    sandbox: SandboxState,
    attempt: str,
    parsed: AuthorizeRequest,
    problem: str | None = None,
    selected: XeroUser | None = None,
) -> Response:
    return _page(
        request,
        "consent.html",
        400 if problem else 200,
        app_name=sandbox.config.app_name,
        attempt=attempt,
        scopes=[scope for scope in parsed.scopes if "." in scope or scope == "offline_access"],
        bulk=parsed.bulk,
        problem=problem,
        people=[_consent_options(user, sandbox) for user in sandbox.directory.sample_users],
        chosen=(selected or sandbox.directory.sample_users[0]).key,
    )


def _consent_options(user: XeroUser, sandbox: SandboxState) -> dict[str, Any]:
    orgs = [
        {
            "id": org.tenant_id,
            "name": org.name,
            "kind": "Practice" if org.tenant_type != "ORGANISATION" else org.country,
            "connected": sandbox.connections.find(user.xero_user_id, org.tenant_id) is not None,
        }
        for org in sandbox.directory.orgs_of(user)
    ]
    return {
        "key": user.key,
        "name": user.name,
        "email": user.email,
        "orgs": orgs,
        "connected": sum(1 for org in orgs if org["connected"]),
        "open": sum(1 for org in orgs if not org["connected"]),
    }


def _page(request: Request, template: str, status: int, **values: Any) -> Response:
    return _PAGES.TemplateResponse(
        request, template, values, status_code=status, headers=dict(_HEADERS)
    )
