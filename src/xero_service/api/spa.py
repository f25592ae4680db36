"""Serves the built page from the service's own origin, under a strict content security policy."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

IMMUTABLE = "public, max-age=31536000, immutable"
PAGE = "index.html"
# Suffixes of the compressed files (frontend/scripts/precompress.mjs), the smallest first.
ENCODINGS = {"br": ".br", "gzip": ".gz"}


def install(app: FastAPI, directory: Path, *, issuer: str) -> None:
    """Serve the files, and the page for every other path.

    A missing file below `assets/` is 404, because browsers would cache the page in its place.
    """
    policy = content_security_policy(issuer)
    files = StaticFiles(directory=directory)

    async def serve(request: Request) -> Response:
        path = request.path_params["path"]
        if path.endswith(tuple(ENCODINGS.values())):  # served only as an encoding of another file
            raise HTTPException(404)
        hashed = path.startswith("assets/")
        found = await _smallest_encoding(files, path, request) if path else None
        if hashed and (found is None or {".", ".."} & set(path.split("/"))):
            raise HTTPException(404)
        found = found or await _smallest_encoding(files, PAGE, request)
        if found is None:
            raise HTTPException(404)
        found.headers["Cache-Control"] = IMMUTABLE if hashed else "no-cache"
        found.headers["Content-Security-Policy"] = policy
        return found

    page = Route("/{path:path}", serve, methods=["GET", "HEAD"])

    async def serve_unrouted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/api/"):
            raise HTTPException(404)
        _, matched = page.matches(scope)
        scope.update(matched)
        scope["route"] = page
        await page.handle(scope, receive, send)

    # Not a route: it would match before the 405 of a path that takes other methods.
    app.router.default = serve_unrouted


async def _smallest_encoding(files: StaticFiles, path: str, request: Request) -> Response | None:
    """Return the file in the smallest encoding that the browser accepts; None without a file."""
    for encoding, suffix in [
        *_accepted_encodings(request.headers.get("accept-encoding", "")),
        ("", ""),
    ]:
        try:
            found = await files.get_response(path + suffix, request.scope)
        except HTTPException:
            continue
        if encoding and found.status_code != 304:
            found.headers["Content-Encoding"] = encoding
        found.headers["Vary"] = "Accept-Encoding"
        return found
    return None


def _accepted_encodings(header: str) -> Iterator[tuple[str, str]]:
    """Yield the encodings that an Accept-Encoding header names with a weight above zero."""
    weights = {}
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = weight.replace(" ", "").removeprefix("q=")
    for encoding, suffix in ENCODINGS.items():
        if weights.get(encoding, "0").strip("0.") or weights.get(encoding) == "":
            yield encoding, suffix


def content_security_policy(issuer: str) -> str:
    """Return the page's policy: its own scripts, and the session issuer's.

    Clerk's own script comes from the issuer's host at run time (Clerk facts §2).
    """
    parts = urlsplit(issuer)
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        f"default-src 'self'; script-src 'self' {origin}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: {origin} https://img.clerk.com; connect-src 'self' {origin}; "
        f"worker-src 'self' blob:; frame-src {origin}; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
