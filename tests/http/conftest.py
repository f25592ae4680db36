"""Fixtures: the served application, for requests that need neither a database nor Xero."""

import os
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from demo.environment import without_service_variables
from tests.settings.conftest import COMPLETE
from xero_service.app import create_app
from xero_service.settings import Settings

Raising = Callable[[BaseException], str]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A complete configuration; the hosts that it names do not exist."""
    for name in os.environ.keys() - without_service_variables(os.environ).keys():
        monkeypatch.delenv(name)
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nothing?host=/nowhere")
    return Settings(_env_file=None)


@pytest.fixture
def app(alone: Settings) -> FastAPI:
    return create_app(alone, upkeep=False)


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that raises exceptions which the application does not handle."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="https://api.example.com"
    ) as client:
        yield client


@pytest.fixture
def raising(app: FastAPI) -> Raising:
    """Add a route that raises the given exception; return its path."""

    def add(error: BaseException) -> str:
        async def fail(_: Request) -> NoReturn:
            raise error

        app.add_route("/raises", fail)
        return "/raises"

    return add


def problem(response: httpx.Response) -> dict[str, Any]:
    """Return the problem after checking the fields and headers of every problem."""
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    body: dict[str, Any] = response.json()
    assert set(body) == {"type", "title", "status", "detail", "code", "requestId"}
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:xero-service:problem:{body['code']}"
    assert body["requestId"] == response.headers["x-request-id"] != ""
    return body
