"""The outermost ASGI layer: journals each request, adds the latency and injects faults."""

import asyncio
import base64
import binascii
from urllib.parse import parse_qsl, unquote_plus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xero_sandbox.fault_injection import (
    ClientConnection,
    ConnectionDropped,
    FaultInjector,
    ResponseBuffer,
)
from xero_sandbox.fingerprints import fingerprint
from xero_sandbox.journal import JournalEntry
from xero_sandbox.state import SandboxState

ENTRY = "xero_sandbox.entry"
FORM = "xero_sandbox.form"
_TOKEN_KINDS = {
    "authorization_code": ("token.code", "code"),
    "refresh_token": ("token.refresh", "refresh_token"),
    "client_credentials": ("token.client_credentials", None),
}
_FIXED_KINDS = {
    "/login/identity/connect/authorize": "authorize",
    "/login/connectionlimit": "connectionlimit",
    "/identity/connect/revocation": "revocation",
    "/identity/connect/userinfo": "userinfo",
    "/identity/.well-known/openid-configuration": "discovery",
    "/identity/.well-known/openid-configuration/jwks": "jwks",
    "/session/.well-known/jwks.json": "session.jwks",
}


class SandboxMiddleware:
    """Wraps the whole app, because only the outermost layer can drop a connection."""

    def __init__(self, app: ASGIApp, sandbox: SandboxState) -> None:
        self._app = app
        self._sandbox = sandbox
        self._injector = FaultInjector(sandbox)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; those of no known kind (control, docs, sign-in) pass through."""
        kind = _kind(scope) if scope["type"] == "http" else None
        if kind is None:
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        entry = self._open_entry(kind, scope, body)
        scope[ENTRY] = entry
        try:
            if self._sandbox.latency:
                await asyncio.sleep(self._sandbox.latency)
            await self._respond(scope, entry, body, ClientConnection(receive, send))
        except ConnectionDropped:
            entry.outcome = f"{entry.outcome}, then dropped" if entry.outcome else "dropped"
        finally:
            for finish in entry.on_finish:
                finish()

    async def _respond(
        self, scope: Scope, entry: JournalEntry, body: bytes, connection: ClientConnection
    ) -> None:
        faults = self._sandbox.faults
        if fault := faults.claim(entry.kind, "before", entry.xero_user_id):
            entry.faults.append(f"before: {fault.order.fault}")
            if response := await self._injector.inject_before(fault, connection):
                await connection.respond(response, entry)
                return
        fault = faults.claim(entry.kind, "after", entry.xero_user_id)
        if fault is None:
            await self._app(
                scope,
                _replaying(body, connection.receive),
                _recording_status(entry, connection.send),
            )
            return
        entry.faults.append(f"after: {fault.order.fault}")
        buffer = ResponseBuffer()
        await self._app(scope, _replaying(body, connection.receive), buffer.send)
        await connection.respond(
            await self._injector.inject_after(fault, buffer.response(), connection), entry
        )

    def _open_entry(self, kind: str, scope: Scope, body: bytes) -> JournalEntry:
        headers = {
            name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        form = _form(headers, body) if kind in ("token", "revocation") else {}
        scope[FORM] = form
        kind, secret = _token_kind(form) if kind == "token" else (kind, form.get("token"))
        entry = self._sandbox.journal.open(
            kind,
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            headers,
        )
        entry.body_bytes = len(body)
        entry.tenant_id = headers.get("xero-tenant-id")
        entry.client_id = form.get("client_id") or _basic_user(headers.get("authorization", ""))
        entry.fingerprint = fingerprint(secret) if secret else None
        entry.xero_user_id = self._user_of(kind, secret, headers.get("authorization", ""))
        if kind == "token.refresh" and entry.fingerprint:
            self._sandbox.journal.presented[entry.fingerprint] += 1
        return entry

    def _user_of(self, kind: str, secret: str | None, authorization: str) -> str | None:
        grants = self._sandbox.grants
        if secret and kind == "token.code":
            code = grants.find_code(secret)
            return code.grant.user.xero_user_id if code else None
        if secret:
            token = grants.find_token(secret)
            return token.grant.user.xero_user_id if token else None
        if authorization.lower().startswith("bearer "):
            claims = self._sandbox.minter.read(authorization[7:].strip())
            return claims.get("xero_userid") if claims else None
        return None


def _kind(scope: Scope) -> str | None:
    """Return the request's kind in the journal; None for the sandbox's own routes."""
    path = scope["path"].lower().rstrip("/")
    if path == "/identity/connect/token":
        return "token"
    if path in _FIXED_KINDS:
        return _FIXED_KINDS[path]
    if path.startswith("/login/consent/"):
        return "consent"
    if path == "/api/connections" or path.startswith("/api/connections/"):
        return "connections.delete" if scope["method"] == "DELETE" else "connections.list"
    return "api" if path.startswith("/api/") else None


def _form(headers: dict[str, str], body: bytes) -> dict[str, str]:
    """Return the form fields; the token endpoint accepts no other body (facts §1.8)."""
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _token_kind(form: dict[str, str]) -> tuple[str, str | None]:
    kind, field = _TOKEN_KINDS.get(form.get("grant_type", ""), ("token.other", None))
    return kind, form.get(field) if field else None


def _basic_user(authorization: str) -> str | None:
    if not authorization.lower().startswith("basic "):
        return None
    try:
        pair = base64.b64decode(authorization[6:]).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote_plus(pair.partition(":")[0])


async def _read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that yields the body already read, then the server's messages."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def _recording_status(entry: JournalEntry, send: Send) -> Send:
    async def record(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry.status = message["status"]
        await send(message)

    return record
