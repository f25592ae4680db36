"""CORS as Starlette has it, but a refused preflight is a problem, like every failure."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from xero_service.api import problems


class _RefusedPreflight(Response):
    """The refusal as a problem, with the `Vary` that keeps it out of other origins' caches."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; browsers read the missing headers, people the detail."""
        problem = problems.bad_request(Request(scope), bytes(self.body).decode())
        problem.headers["Vary"] = self.headers["Vary"]
        await problem(scope, receive, send)


class CorsMiddleware(CORSMiddleware):
    """Lets the pages of the configured origins call."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the permission, or a problem that names what is not allowed."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        return _RefusedPreflight(response.body, headers={"Vary": response.headers["Vary"]})
