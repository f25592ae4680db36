"""Carries out faults: on the connection to the client, or on the response."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import Message, Receive, Send

from xero_sandbox.fault_registry import Fault
from xero_sandbox.journal import JournalEntry
from xero_sandbox.state import SandboxState

_HTML = "text/html; charset=UTF-8"
_JSON = "application/json; charset=UTF-8"
_DRIP_PIECES = 20
_MORE = {"more_body": True}
_PAGES = {
    "500": (500, "<html><body><h1>Internal Server Error</h1></body></html>"),
    "502": (502, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
    "503": (503, "Not Available"),
    "html403": (
        403,
        "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY>Access Denied</BODY></HTML>",
    ),
}


class ConnectionDropped(Exception):
    """The connection to the client is closed; no response can be sent."""


@dataclass(frozen=True)
class BufferedResponse:
    """A complete HTTP response; `over_seconds` spreads the sending of its body over that time."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    over_seconds: float = 0


class ResponseBuffer:
    """Collects the response of an ASGI app instead of sending it."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: dict[str, str] = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        """Collect one ASGI message; passed to the app as its `send`."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in message.get("headers", ())
                if name.lower() != b"content-length"
            }
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    def response(self) -> BufferedResponse:
        """Return the collected response."""
        return BufferedResponse(self._status, self._body, self._headers)


@dataclass
class ClientConnection:
    """The connection to the client, as ASGI gives it."""

    receive: Receive
    send: Send

    async def respond(self, response: BufferedResponse, entry: JournalEntry) -> None:
        """Send a response and record its status in the journal entry."""
        entry.status = response.status
        headers = {**response.headers, "content-length": str(len(response.body))}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send(
            {"type": "http.response.start", "status": response.status, "headers": pairs}
        )
        body = response.body
        if response.over_seconds:
            size = len(body) // _DRIP_PIECES + 1
            while body:
                await self.send({"type": "http.response.body", "body": body[:size], **_MORE})
                body = body[size:]
                await asyncio.sleep(response.over_seconds / _DRIP_PIECES)
        await self.send({"type": "http.response.body", "body": body})

    async def drop(self) -> None:
        """Close the connection without sending a byte."""
        # ASGI cannot close a connection, so this uses uvicorn's transport.
        transport = getattr(getattr(self.send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError("An injected fault dropped this connection.")
        transport.abort()
        await self._disconnected()
        raise ConnectionDropped

    async def stay_silent(self, seconds: float) -> None:
        """Send nothing until the client disconnects; close the connection after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._disconnected()
        except TimeoutError:
            await self.drop()
        raise ConnectionDropped

    async def _disconnected(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


class FaultInjector:
    """Applies faults to requests and responses."""

    def __init__(self, sandbox: SandboxState) -> None:
        self._sandbox = sandbox

    async def inject_before(
        self, fault: Fault, connection: ClientConnection
    ) -> BufferedResponse | None:
        """Apply a fault before the request changes any state; None continues the request."""
        return await self._inject(fault, connection, None)

    async def inject_after(
        self, fault: Fault, response: BufferedResponse, connection: ClientConnection
    ) -> BufferedResponse:
        """Apply a fault after the state changed; return the response to send."""
        return await self._inject(fault, connection, response) or response

    async def _inject(
        self, fault: Fault, connection: ClientConnection, response: BufferedResponse | None
    ) -> BufferedResponse | None:
        order = fault.order
        match order.fault:
            case "hold":
                await fault.hold()
            case "slow":
                await asyncio.sleep(order.seconds)
            case "drip" if response is not None:
                return replace(response, over_seconds=order.seconds)
            case "timeout":
                await connection.stay_silent(order.seconds)
            case "drop":
                await connection.drop()
            case "500" | "502" | "503" | "html403":
                status, text = _PAGES[order.fault]
                kind = "text/plain" if order.fault == "503" else _HTML
                return BufferedResponse(
                    status, text.encode(), _with_retry({"content-type": kind}, fault)
                )
            case "429":
                problem = {"x-rate-limit-problem": "minute"}
                return BufferedResponse(429, b"", _with_retry(problem, fault))
            case "invalid_client":
                return BufferedResponse(400, b'{"error":"invalid_client"}', {"content-type": _JSON})
            case "malformed_json":
                whole = response or BufferedResponse(
                    200, b'{"access_token":', {"content-type": _JSON}
                )
                return replace(whole, body=whole.body[: max(1, len(whole.body) // 2)])
            case "missing_refresh_token":
                return _changed(response, lambda body: body.pop("refresh_token", None))
            case "extra_fields":
                return _changed(
                    response, lambda body: body.update(extra="field", nested={"a": [1]})
                )
            case "changed_fields":
                return _changed(response, lambda body: _merge(body, order.changes))
            case "wrong_user":
                return _changed(response, lambda body: self._substitute(body, "id_token"))
            case "mixed_users":
                return _changed(response, self._substitute)
            case "changed_id_token":
                return _changed(response, lambda body: self._rewrite(body, order.changes))
            case "forged_id_token":
                return _changed(response, _forge)
        return None

    def _substitute(self, body: dict[str, Any], *also: str) -> None:
        """Replace the access token by another user's, and also the id_token if `also` names it."""
        minter, grants = self._sandbox.minter, self._sandbox.grants
        claims = minter.read(body.get("access_token", "")) or {}
        grant = grants.find_by_jti(claims.get("jti", ""))
        if grant is None:
            return
        other = self._sandbox.directory.another_user(grant.user)
        event = grants.new_event()
        access = body["access_token"] = minter.access_token(grant, event, other)
        if "id_token" in body and "id_token" in also:
            nonce = (minter.read(body["id_token"]) or {}).get("nonce")
            body["id_token"] = minter.id_token(other, event, access, nonce)

    def _rewrite(self, body: dict[str, Any], changes: dict[str, Any]) -> None:
        """Change claims of the id_token and sign it again."""
        claims = self._sandbox.minter.read(body.get("id_token", ""))
        if claims is not None:
            _merge(claims, changes)
            body["id_token"] = self._sandbox.minter.sign(claims)


def _changed(
    response: BufferedResponse | None, change: Callable[[dict[str, Any]], object]
) -> BufferedResponse | None:
    if response is None or response.status != 200:
        return response
    body = json.loads(response.body)
    if isinstance(body, dict):
        change(body)
    return replace(response, body=json.dumps(body).encode())


def _merge(target: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value


def _forge(body: dict[str, Any]) -> None:
    """Make the id_token's signature invalid."""
    signed, _, signature = body.get("id_token", "..").rpartition(".")
    other = "B" if signature.startswith("A") else "A"
    body["id_token"] = f"{signed}.{other}{signature[1:]}"


def _with_retry(headers: dict[str, str], fault: Fault) -> dict[str, str]:
    if fault.order.retry_after is None:
        return headers
    return {**headers, "retry-after": str(fault.order.retry_after)}
