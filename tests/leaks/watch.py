"""Knows every secret that passed, and remembers everything that was said to anybody."""

import base64
import gc
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import asyncpg
import httpx
import pytest

from tests.people import Person
from xero_service.xero.bounded_transport import BoundedTransport

SHORTEST = 8  # shorter values would be found by chance


@dataclass(frozen=True)
class Said:
    """One answer of the service's, as text, headers included."""

    method: str
    path: str
    status: int
    text: str


@dataclass
class Watch:
    """Secrets by what they are, and the answers and reprs that were seen meanwhile."""

    secrets: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    said: list[Said] = field(default_factory=list)
    reprs: set[str] = field(default_factory=set)
    looks: int = 0

    def keep(self, kind: str, *values: object) -> None:
        self.secrets[kind].update(
            value for value in values if isinstance(value, str) and len(value) >= SHORTEST
        )

    def forms(self, kind: str) -> Iterator[str]:
        """Each secret of a kind, and what it looks like encoded."""
        for value in self.secrets[kind]:
            raw = value.encode()
            yield from {
                value,
                quote(value, safe=""),
                base64.b64encode(raw).decode().rstrip("="),
                base64.urlsafe_b64encode(raw).decode().rstrip("="),
                raw.hex(),
                json.dumps(value)[1:-1],
            }

    def found_in(self, text: str, *, but: frozenset[str] = frozenset()) -> set[str]:
        """The kinds of secrets that a text shows."""
        return {
            kind
            for kind in self.secrets
            if kind not in but and any(form in text for form in self.forms(kind))
        }

    def heard_from_xero(self, request: httpx.Request, answer: httpx.Response | None) -> None:
        form = dict(parse_qsl(request.content.decode()))
        for name in ("code", "code_verifier", "refresh_token", "token"):
            self.keep("refresh_token" if name == "token" else name, form.get(name))
        for value in request.headers.values():
            kind, _, credential = value.partition(" ")
            if kind == "Basic":
                self.keep("client_secret", credential)
            if kind == "Bearer":
                self.keep("access_token", credential)
        try:
            body = json.loads(answer.content) if answer else None
        except ValueError:
            body = None
        if isinstance(body, dict):
            for name in ("access_token", "refresh_token", "id_token"):
                self.keep(name, body.get(name))

    def remember(self, request: httpx.Request, response: httpx.Response, body: bytes) -> None:
        headers = "\n".join(f"{k}: {v}" for k, v in response.headers.multi_items())
        location = parse_qs(urlsplit(response.headers.get("location", "")).query)
        started = [location.get(name, [""])[0] for name in ("state", "nonce")]
        if body.startswith(b'{"authorizationUrl"'):
            query = parse_qs(urlsplit(json.loads(body)["authorizationUrl"]).query)
            started += [query[name][0] for name in ("state", "nonce")]
        self.keep("state or nonce", *started)
        for cookie in response.headers.get_list("set-cookie"):
            self.keep("flow cookie", cookie.partition("=")[2].partition(";")[0])
        text = f"{headers}\n\n{body.decode(errors='replace')}"
        self.said.append(Said(request.method, request.url.path, response.status_code, text))

    def look_around(self) -> None:
        """Keep the repr of everything of ours that lives at this moment; it takes a while."""
        self.looks += 1
        if self.looks > 5 and self.looks % 5:
            return
        ours = (each for each in gc.get_objects() if _is_ours(each))
        self.reprs.update(repr(each) for each in ours)


def _is_ours(value: object) -> bool:
    return str(type(value).__module__).startswith("xero_service.")


def watching(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watch what this process's service sends to Xero and says to its callers."""
    watch = Watch()
    send, answer = BoundedTransport.handle_async_request, httpx.ASGITransport.handle_async_request
    token = Person.token

    async def heard(self: BoundedTransport, request: httpx.Request) -> httpx.Response:
        found: httpx.Response | None = None
        try:
            found = await send(self, request)
        finally:
            watch.heard_from_xero(request, found)
            if request.content:
                watch.look_around()
        return found

    async def remembered(self: httpx.ASGITransport, request: httpx.Request) -> httpx.Response:
        response = await answer(self, request)
        body = await response.aread()
        watch.remember(request, response, body)
        return response

    def minted(self: Person, **options: Any) -> str:
        session = token(self, **options)
        watch.keep("session token", session, session.rsplit(".", 1)[1])
        return session

    monkeypatch.setattr(BoundedTransport, "handle_async_request", heard)
    monkeypatch.setattr(httpx.ASGITransport, "handle_async_request", remembered)
    monkeypatch.setattr(Person, "token", minted)
    return watch


async def dumped(database: asyncpg.Connection) -> dict[str, str]:
    """Every row of every table, as text."""
    tables = await database.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    return {
        name: "\n".join(
            row[0]
            for row in await database.fetch(f'SELECT t::text FROM "{name}" t')  # noqa: S608
        )
        for (name,) in tables
    }
