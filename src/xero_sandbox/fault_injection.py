"""What each fault does to a request: to the connection, or to the answer on its way back."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import Message, Receive, Send

from xero_sandbox.faults import Fault
from xero_sandbox.journal import JournalEntry
from xero_sandbox.state import SandboxState

_HTML = "text/html; charset=UTF-8"
_JSON = "application/json; charset=UTF-8"
_DRIPS = 20
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
    """The connection was cut; nothing more can be sent."""


@dataclass(frozen=True)
class BufferedResponse:
    """A whole HTTP answer; with `over_seconds` it takes so long to send."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    over_seconds: float = 0

    @staticmethod
    def collector() -> "ResponseBuffer":
        """Return something that gathers an app's answer instead of sending it."""
        return ResponseBuffer()


class ResponseBuffer:
    """Gathers what an app sends."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: dict[str, str] = {}
        self._body = b""

    async def take(self, message: Message) -> None:
        """Stand in for the server's `send`."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in message.get("headers", ())
                if name.lower() != b"content-length"
            }
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    def answer(self) -> BufferedResponse:
        """Return what was gathered."""
        return BufferedResponse(self._status, self._body, self._headers)


@dataclass
class ClientConnection:
    """The connection itself."""

    receive: Receive
    send: Send

    async def answer(self, answer: BufferedResponse, entry: JournalEntry) -> None:
        """Send a whole answer."""
        entry.status = answer.status
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        body = answer.body
        if answer.over_seconds:
            size = len(body) // _DRIPS + 1
            while body:
                await self.send({"type": "http.response.body", "body": body[:size], **_MORE})
                body = body[size:]
                await asyncio.sleep(answer.over_seconds / _DRIPS)
        await self.send({"type": "http.response.body", "body": body})

    async def drop(self) -> None:
        """Cut the connection without a byte of answer."""
        # The server's transport is the only thing that can do this; ASGI has no word for it.
        transport = getattr(getattr(self.send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError("The sandbox dropped this connection on purpose.")
        transport.abort()
        await self._disconnected()
        raise ConnectionDropped

    async def stay_silent(self, seconds: float) -> None:
        """Wait for the caller to give up, or cut the connection after so long."""
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
    """Carries faults out."""

    def __init__(self, sandbox: SandboxState) -> None:
        self._sandbox = sandbox

    async def before(self, fault: Fault, connection: ClientConnection) -> BufferedResponse | None:
        """Strike before anything has changed; None lets the request go on."""
        return await self._inject(fault, connection, None)

    async def after(
        self, fault: Fault, answer: BufferedResponse, connection: ClientConnection
    ) -> BufferedResponse:
        """Strike when the change is made and only the answer can still go wrong."""
        return await self._inject(fault, connection, answer) or answer

    async def _inject(
        self, fault: Fault, connection: ClientConnection, answer: BufferedResponse | None
    ) -> BufferedResponse | None:
        order = fault.order
        match order.fault:
            case "hold":
                await fault.hold()
            case "slow":
                await asyncio.sleep(order.seconds)
            case "drip" if answer is not None:
                return replace(answer, over_seconds=order.seconds)
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
                whole = answer or BufferedResponse(
                    200, b'{"access_token":', {"content-type": _JSON}
                )
                return replace(whole, body=whole.body[: max(1, len(whole.body) // 2)])
            case "missing_refresh_token":
                return _changed(answer, lambda body: body.pop("refresh_token", None))
            case "extra_fields":
                return _changed(answer, lambda body: body.update(extra="field", nested={"a": [1]}))
            case "changed_fields":
                return _changed(answer, lambda body: _merge(body, order.changes))
            case "wrong_user":
                return _changed(answer, lambda body: self._substitute(body, "id_token"))
            case "mixed_users":
                return _changed(answer, self._substitute)
            case "changed_id_token":
                return _changed(answer, lambda body: self._rewrite(body, order.changes))
            case "forged_id_token":
                return _changed(answer, _forge)
        return None

    def _substitute(self, body: dict[str, Any], *also: str) -> None:
        """Put another user's access token, and perhaps id_token, in place of the caller's."""
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
        """Sign the id_token again with other claims."""
        claims = self._sandbox.minter.read(body.get("id_token", ""))
        if claims is not None:
            _merge(claims, changes)
            body["id_token"] = self._sandbox.minter.sign(claims)


def _changed(
    answer: BufferedResponse | None, change: Callable[[dict[str, Any]], object]
) -> BufferedResponse | None:
    if answer is None or answer.status != 200:
        return answer
    body = json.loads(answer.body)
    if isinstance(body, dict):
        change(body)
    return replace(answer, body=json.dumps(body).encode())


def _merge(target: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value


def _forge(body: dict[str, Any]) -> None:
    """Spoil the id_token's signature."""
    signed, _, signature = body.get("id_token", "..").rpartition(".")
    other = "B" if signature.startswith("A") else "A"
    body["id_token"] = f"{signed}.{other}{signature[1:]}"


def _with_retry(headers: dict[str, str], fault: Fault) -> dict[str, str]:
    if fault.order.retry_after is None:
        return headers
    return {**headers, "retry-after": str(fault.order.retry_after)}
