"""Serve the built page from the service's own origin, under a strict policy."""

from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

IMMUTABLE = "public, max-age=31536000, immutable"


def install(app: FastAPI, directory: Path, *, issuer: str) -> None:
    """Serve files as they are, and the page for every other path that a browser opens.

    Below `assets/` a file is there or it is not: the page in its place would be kept as it.
    """
    policy = content_security_policy(issuer)
    files = StaticFiles(directory=directory)

    async def serve(request: Request) -> Response:
        path = request.path_params["path"]
        if path.startswith("api/"):
            raise HTTPException(404)
        try:
            found = await files.get_response(path, request.scope) if path else None
        except HTTPException:
            found = None
        hashed = path.startswith("assets/")
        if hashed and (found is None or {".", ".."} & set(path.split("/"))):
            raise HTTPException(404)
        if found is None:
            found = FileResponse(directory / "index.html")
        found.headers["Cache-Control"] = IMMUTABLE if hashed else "no-cache"
        found.headers["Content-Security-Policy"] = policy
        return found

    app.add_route("/{path:path}", serve, methods=["GET", "HEAD"], include_in_schema=False)


def content_security_policy(issuer: str) -> str:
    """Return the page's policy: its own scripts, and the session issuer's.

    Clerk's own script comes from the issuer's host at run time (facts/clerk.md §2).
    """
    parts = urlsplit(issuer)
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        f"default-src 'self'; script-src 'self' {origin}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: {origin} https://img.clerk.com; connect-src 'self' {origin}; "
        f"worker-src 'self' blob:; frame-src {origin}; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
