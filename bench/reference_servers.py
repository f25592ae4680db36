"""The baselines: servers that the service is compared with, run by the same uvicorn.

`python -m bench.reference_servers NAME PORT WORKERS`, with the service's environment.
"""

import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bench.stage import IMPORTING_US
from demo import ports
from demo.processes import Child
from demo.stack import LOOPBACK, Replica, Stack
from xero_service import app as service
from xero_service.api.graceful_shutdown import GracefulShutdown
from xero_service.settings import load
from xero_service.telemetry import configure_logging
from xero_service.timeouts import OPEN_REQUESTS_SECONDS
from xero_service.xero.http import HttpClient

EMPTY = "/empty"
MEBIBYTE = bytes(range(256)) * 4096
READ = """
SELECT g.id, g.access_token_enc, g.expires_at, b.external_tenant_id
FROM integration_tenant_bindings b JOIN integration_grants g ON g.id = b.active_grant_id
WHERE b.id = $1
"""


def with_empty_route() -> GracefulShutdown:
    """Return the service as `serve` runs it, with an empty route first in its route table."""
    settings = load()
    configure_logging(level=settings.log_level, form=settings.log_format)
    app = service.create_app(settings)

    @app.post(EMPTY)
    async def empty(_: Request) -> Response:
        return Response(b"{}", media_type="application/json")

    app.router.routes.insert(0, app.router.routes.pop())
    gc.freeze()  # as `serve` does
    return GracefulShutdown(app, notice=settings.drain_notice_seconds)


def minimal_reader() -> Starlette:
    """Return a minimal token reader: no key, org, status, audit, log or metrics."""
    cipher = AESGCM(bytes.fromhex(os.environ["ENCRYPTION_KEY"]))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(os.environ["DATABASE_URL"], max_size=10) as pool:
            app.state.pool = pool
            yield

    async def read(request: StarletteRequest) -> Response:
        row = await request.app.state.pool.fetchrow(READ, UUID(request.path_params["binding"]))
        token = _decrypt(cipher, row)
        return JSONResponse(
            {
                "accessToken": token,
                "expiresAt": row["expires_at"].isoformat(),
                "tenantId": row["external_tenant_id"],
                "bindingId": request.path_params["binding"],
            }
        )

    path = service.PREFIX + "/bindings/{binding}/token"
    routes = [Route(path, read, methods=["POST"]), Route("/readyz", _ready)]
    return Starlette(routes=routes, lifespan=lifespan)


def minimal_proxy() -> Starlette:
    """Return a minimal proxy to Xero, without authentication and rate limits."""
    cipher = AESGCM(bytes.fromhex(os.environ["ENCRYPTION_KEY"]))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            asyncpg.create_pool(os.environ["DATABASE_URL"], max_size=10) as app.state.pool,
            HttpClient(timeout=10) as app.state.client,
        ):
            yield

    async def call(request: StarletteRequest) -> Response:
        row = await request.app.state.pool.fetchrow(READ, UUID(request.path_params["binding"]))
        token = _decrypt(cipher, row)
        headers = [
            ("authorization", f"Bearer {token}"),
            ("xero-tenant-id", row["external_tenant_id"]),
        ]
        url = f"{os.environ['XERO_API_URL']}/{request.path_params['path']}"
        async with request.app.state.client.stream(
            "GET", url, headers=headers, content=b"", length=None, within=60
        ) as answer:
            body = b"".join([part async for part in answer.body])
            return Response(body, answer.status, media_type=dict(answer.headers)["content-type"])

    path = service.PREFIX + "/bindings/{binding}/api/{path:path}"
    return Starlette(routes=[Route(path, call), Route("/readyz", _ready)], lifespan=lifespan)


def _decrypt(cipher: AESGCM, row: asyncpg.Record) -> str:
    iv, tag, data = (bytes.fromhex(part) for part in row["access_token_enc"].split(":"))
    return cipher.decrypt(iv, data + tag, f"{row['id']}:access_token_enc".encode()).decode()


def downloads() -> Starlette:
    """Return a server of large downloads, which the sandbox has not: /api.xro/2.0/{mebibytes}."""

    async def large(request: StarletteRequest) -> Response:
        size = request.path_params["size"]

        async def body() -> AsyncIterator[bytes]:
            for _ in range(size):
                yield MEBIBYTE

        length = {"content-length": str(size * len(MEBIBYTE))}
        return StreamingResponse(body(), headers=length, media_type="application/octet-stream")

    return Starlette(routes=[Route("/api.xro/2.0/{size:int}", large), Route("/readyz", _ready)])


async def _ready(_: StarletteRequest) -> Response:
    return Response()


def start(stack: Stack, name: str, *, workers: int = 1) -> Replica:
    """Start one of these servers and wait until it responds; it stops with the stack."""
    child, url = launch(stack, name, workers=workers)
    child.wait_until_answering(f"http://{LOOPBACK}:{url.rpartition(':')[2]}/readyz")
    return Replica(child, url)


def launch(stack: Stack, name: str, *, workers: int = 1) -> tuple[Child, str]:
    """Start one of these servers without waiting."""
    port = ports.free()
    child = Child.start(
        name,
        [sys.executable, "-m", "bench.reference_servers", name, str(port), str(workers)],
        log=stack.directory / f"{name}-{port}.log",
        env={**stack.environment, **IMPORTING_US},
        cwd=stack.directory,
    )
    stack.children.append(child)
    return child, f"http://localhost:{port}"


if __name__ == "__main__":
    chosen, port, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    assert chosen in {"with_empty_route", "minimal_reader", "minimal_proxy", "downloads"}
    uvicorn.run(
        f"bench.reference_servers:{chosen}",
        factory=True,
        host=LOOPBACK,
        port=port,
        workers=workers if workers > 1 else None,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=OPEN_REQUESTS_SECONDS,
    )
