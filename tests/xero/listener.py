"""A server in Xero's place: gives one answer to everything, and remembers what it was asked."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp.test_utils import RawTestServer
from aiohttp.web import BaseRequest, Response, json_response


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; header names are lower case, and each has all its values."""

    method: str
    path: str
    headers: Mapping[str, list[str]]
    body: bytes


@dataclass
class Listener:
    """Where it listens, what it answers, and what it was asked."""

    url: str = ""
    status: int = 200
    json: Any = None
    text: str = ""
    requests: list[Asked] = field(default_factory=list)

    def answers(self, status: int, *, text: str = "", json: Any = None) -> None:
        """Answer like this from now on."""
        self.status, self.text, self.json = status, text, json

    @property
    def asked(self) -> Asked:
        """The only request."""
        (request,) = self.requests
        return request

    async def hear(self, request: BaseRequest) -> Response:
        """Remember a request and answer it."""
        headers = {name.lower(): request.headers.getall(name) for name in request.headers}
        body = await request.read()
        self.requests.append(Asked(request.method, request.raw_path, headers, body))
        if self.json is not None:
            return json_response(self.json, status=self.status)
        return Response(status=self.status, text=self.text)


@asynccontextmanager
async def listener() -> AsyncIterator[Listener]:
    """Listen on a port of its own."""
    at = Listener()
    async with RawTestServer(at.hear) as server:
        at.url = str(server.make_url("")).rstrip("/")
        yield at
