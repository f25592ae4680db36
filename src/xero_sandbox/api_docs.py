"""Serves the OpenAPI document and `/docs`, with every asset from this server."""

from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from xero_sandbox import api_examples

_ASSETS = "/docs/assets"
_FILES = Path(fastapi_offline.__file__).parent / "static"

router = APIRouter(include_in_schema=False)


def install(app: FastAPI) -> None:
    """Add `/docs`, its assets and the completed OpenAPI document to the app.

    FastAPI's own page would load the assets from a content delivery network.
    """

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    # FastAPI's documented way to extend the document.
    app.openapi = openapi  # type: ignore[method-assign]
    app.mount(_ASSETS, StaticFiles(directory=_FILES), name="docs-assets")
    app.include_router(router)


@router.get("/docs")
async def page() -> HTMLResponse:
    """Serve Swagger UI."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Xero sandbox: API",
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS}/favicon.png",
    )


def _document(app: FastAPI) -> dict[str, Any]:
    """Return FastAPI's OpenAPI document, completed with summaries, descriptions and examples."""
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            # An operation that is missing in OPERATIONS keeps FastAPI's summary; a test reports it.
            default = (operation["summary"], None)
            operation["summary"], answer = api_examples.OPERATIONS.get(
                f"{method.upper()} {path}", default
            )
            _complete(operation, answer, schemas)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas[name]["description"] = "A request that does not have the documented shape."
        for field, described in schemas[name]["properties"].items():
            described["description"] = api_examples.INVALID_FIELDS[field]
    return document


def _complete(operation: dict[str, Any], answer: Any, schemas: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["name"] in api_examples.PARAMETERS:
            parameter["description"], parameter["example"] = api_examples.PARAMETERS[
                parameter["name"]
            ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["examples"] = {"usual": {"value": _request(content["schema"], schemas)}}
    for status, response in operation["responses"].items():
        for content in response.get("content", {}).values():
            value = api_examples.INVALID if status == "422" else answer
            content["examples"] = {"usual": {"value": value}}


def _request(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Return an example body: its required fields, or all fields if none is required."""
    options = schema.get("anyOf", [schema])
    name = options[0].get("$ref", "").rpartition("/")[2]
    if not name:
        return api_examples.SWITCHES_TO_TURN
    fields = schemas[name]["properties"]
    shown = schemas[name].get("required", fields)
    return {
        field: fields[field]["examples"][0]
        if "examples" in fields[field]
        else fields[field]["default"]
        for field in shown
    }
