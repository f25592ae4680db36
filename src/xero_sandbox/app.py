"""Builds the FastAPI app; each of Xero's hosts is a path prefix of one address."""

import re
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from xero_sandbox import api_docs
from xero_sandbox.config import SandboxConfig
from xero_sandbox.directory import NotInDirectory
from xero_sandbox.middleware import SandboxMiddleware
from xero_sandbox.problems import ApiProblem
from xero_sandbox.routes import (
    accounting,
    connections,
    control,
    control_faults,
    control_webhooks,
    control_xero,
    identity,
    index,
    login,
    session,
    webhooks_page,
)
from xero_sandbox.state import SandboxState

_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_ROUTES = (
    index,
    login,
    identity,
    connections,
    accounting,
    session,
    control,
    control_xero,
    control_faults,
    control_webhooks,
    webhooks_page,
)


class SandboxApp(FastAPI):
    """FastAPI with SandboxMiddleware outermost, outside the middleware that FastAPI adds itself."""

    def __init__(self, config: SandboxConfig) -> None:
        super().__init__(
            title="Xero sandbox",
            version=version("xero-service"),
            summary="A local Xero and a local session issuer, to test against.",
            docs_url=None,
            redoc_url=None,
        )
        self.state.sandbox = SandboxState(config)
        self._middleware = SandboxMiddleware(super().__call__, self.state.sandbox)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request through SandboxMiddleware."""
        await self._middleware(scope, receive, send)


class SessionCors(CORSMiddleware):
    """CORS for the session issuer only: a page on any loopback port may call it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Apply CORS to paths of the session issuer; pass all others through."""
        if scope["type"] == "http" and scope["path"].startswith("/session/"):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def create_app(config: SandboxConfig) -> FastAPI:
    """Return the app of a new sandbox, with the sample users and organisations."""
    app = SandboxApp(config)
    app.add_middleware(
        SessionCors,
        allow_origin_regex=_LOOPBACK.pattern,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
    )
    for module in _ROUTES:
        app.include_router(module.router)
    api_docs.install(app)
    app.add_exception_handler(ApiProblem, _api_problem)
    app.add_exception_handler(NotInDirectory, _not_in_directory)
    return app


async def _api_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiProblem)  # noqa: S101
    return error.response(request, request.app.state.sandbox.switches)


async def _not_in_directory(_: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 404)
