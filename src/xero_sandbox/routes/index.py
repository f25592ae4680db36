"""The root page, with links to the parts of the sandbox."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.templating import Jinja2Templates

from xero_sandbox.routes.dependencies import SandboxDep

router = APIRouter(include_in_schema=False)

_PAGES = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")


@router.get("/", response_class=HTMLResponse)
async def index(request: Request, sandbox: SandboxDep) -> Response:
    """Serve the root page."""
    values = {
        "client_id": sandbox.config.client_id,
        "redirect_uris": sandbox.config.redirect_uris,
    }
    return _PAGES.TemplateResponse(request, "index.html", values)
