"""The page that shows the sandbox's API document, with every asset served from here."""

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

_ASSETS = "/docs/assets"
_FILES = Path(fastapi_offline.__file__).parent / "static"

router = APIRouter(include_in_schema=False)


def install(app: FastAPI) -> None:
    """Serve `/docs` and its assets; FastAPI's own page loads them from a content network."""
    app.mount(_ASSETS, StaticFiles(directory=_FILES), name="docs-assets")
    app.include_router(router)


@router.get("/docs")
async def page() -> HTMLResponse:
    """Show the API document."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Xero sandbox: API",
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS}/favicon.png",
    )
