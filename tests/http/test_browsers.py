"""CORS, security and cache headers of every response."""

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.http.conftest import Raising, problem

PAGE = "https://app.example.com"
BINDINGS = "/api/integrations/xero/bindings"
BINDING = "7d0f3c1e-93c5-4a39-8f2b-0c4a6a3d5a10"
ASKING = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
OTHERS = [
    "null",
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "https://app.example.com:444",
    "https://app.example.com/",
    "http://app.example.com",
    "HTTPS://APP.EXAMPLE.COM",
    "https://api.example.com",
    "https://evil.example#https://app.example.com",
    "*",
    "",
]


def granted(answer: httpx.Response) -> set[str]:
    """The CORS headers that permit another origin."""
    return {
        f"{name}: {value}"
        for name, value in answer.headers.items()
        if name in {"access-control-allow-origin", "access-control-allow-private-network"}
    }


@pytest.mark.parametrize("origin", OTHERS)
async def test_no_other_origin_may_read(http: httpx.AsyncClient, origin: str) -> None:
    """S45."""
    asked = await http.options(BINDINGS, headers={"Origin": origin, **ASKING})
    answered = await http.get(BINDINGS, headers={"Origin": origin})

    assert granted(asked) == granted(answered) == set()
    assert asked.status_code in {400, 405}
    assert problem(asked)["code"] in {"bad_request", "method_not_allowed"}


async def test_the_page_may_read_with_credentials_and_nobody_else_in_its_place(
    http: httpx.AsyncClient,
) -> None:
    """S45: no cache may hand the page's permission to another origin."""
    asked = await http.options(BINDINGS, headers={"Origin": PAGE, **ASKING})
    answered = await http.get(BINDINGS, headers={"Origin": PAGE})

    for answer in (asked, answered):
        assert granted(answer) == {f"access-control-allow-origin: {PAGE}"}
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "origin" in answer.headers["vary"].lower()
    assert asked.headers["access-control-allow-methods"] == "GET, POST"


@pytest.mark.parametrize(
    "path", ["/healthz", BINDINGS, "/nothing", "/docs", "/openapi.json", "/raises"]
)
async def test_every_answer_says_what_a_browser_must_not_do_with_it(
    http: httpx.AsyncClient, raising: Raising, path: str
) -> None:
    """S46: failures too."""
    raising(RuntimeError())

    answer = await http.get(path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe-inline" not in answer.headers["content-security-policy"].split("style-src")[0]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", BINDINGS),
        ("GET", "/api/integrations/xero/activity"),
        ("GET", "/api/integrations/xero/tenants/list"),
        ("GET", "/api/integrations/xero/start"),
        ("GET", "/api/integrations/xero/callback"),
        ("POST", "/api/integrations/xero/refresh"),
        ("POST", f"{BINDINGS}/{BINDING}/token"),
        ("GET", f"{BINDINGS}/{BINDING}/api/api.xro/2.0/Organisation"),
        ("DELETE", BINDINGS),
        ("OPTIONS", BINDINGS),
        ("GET", "/api/nothing"),
    ],
)
async def test_no_answer_of_the_api_is_stored(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    """B9: whatever it is."""
    answer = await http.request(method, path)

    assert answer.headers.get_list("cache-control") == ["no-store"]


async def test_what_a_route_or_xero_says_about_storing_does_not_count(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    """B9: an answer of Xero's is one org's, too."""

    async def kept(_: Request) -> Response:
        return Response(headers={"Cache-Control": "public, max-age=60"})

    app.router.routes.insert(0, Route("/api/kept", kept))
    answer = await http.get("/api/kept")

    assert answer.headers.get_list("cache-control") == ["no-store"]
