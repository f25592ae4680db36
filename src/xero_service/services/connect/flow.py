"""Start and callback of the consent flow: send the browser to Xero, then validate its return."""

import asyncio
import contextlib
import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

from xero_service import failpoints
from xero_service.background import BackgroundWork
from xero_service.crypto import KeyRing, fingerprint
from xero_service.domain import Actor, AuditAction, AuditEvent, SessionUser
from xero_service.errors import (
    ConsentDenied,
    ExchangeFailed,
    FlowError,
    FlowExpired,
    FlowMismatch,
    IntegrationError,
    InvalidReturnTo,
    OrgRequired,
    ServiceBusy,
    SessionMismatch,
)
from xero_service.failpoints import Place
from xero_service.services.connect.code_exchange import CodeExchange, Initiator
from xero_service.services.connect.reconnects import ReconnectService, require_binding
from xero_service.store.database import Database
from xero_service.store.verification_tokens import Attempt
from xero_service.telemetry import logger
from xero_service.throttle import Throttle
from xero_service.timeouts import (
    ATTEMPT_LIFETIME,
    BROWSER_WAIT_SECONDS,
    FIRST_CALLBACK_WAIT_SECONDS,
)
from xero_service.xero.adapter import XeroAdapter

DEFAULT_RETURN_TO = "/settings/integrations"
ENTROPY_BYTES = 32
REFUSALS_NOTED_A_MINUTE = 20

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The URL to send the browser to, and the id for its flow cookie."""

    authorization_url: str = field(repr=False)
    expires_at: datetime
    browser_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallbackParams:
    """The parameters with which Xero sent the browser back (RFC 6749 §4.1.2, RFC 9207)."""

    state: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    error: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """The sealed content of a verification token."""

    org_id: str
    user_id: str
    return_to: str
    browser_hash: str
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    reconnect: str | None = None  # the id of the binding that the consent is meant for

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the payload that `write` serialized."""
        return cls(**json.loads(text))

    def write(self) -> str:
        """Return the payload as JSON; without an absent `reconnect`, which older code refuses."""
        return json.dumps({name: v for name, v in asdict(self).items() if v is not None})


@dataclass(frozen=True, slots=True)
class ConnectService:
    """Start and callback of the consent flow."""

    database: Database
    xero: XeroAdapter
    keys: KeyRing
    code_exchange: CodeExchange
    reconnects: ReconnectService
    background: BackgroundWork
    issuer: str
    refusals: Throttle[tuple[str, str, str | None]] = field(
        default_factory=lambda: Throttle(every=60.0, times=REFUSALS_NOTED_A_MINUTE)
    )

    async def start(
        self,
        user: SessionUser,
        actor: Actor,
        *,
        return_to: str | None,
        browser_id: str | None,
        reconnect: UUID | None = None,
    ) -> AuthorizationRequest:
        """Store a verification token for ten minutes and return Xero's authorization URL.

        Two tabs of a browser share its id. `reconnect`: the binding that the consent is meant for.
        Raises OrgRequired, InvalidReturnTo, or NotFound for a binding that the org does not have.
        """
        if user.org_id is None:
            raise OrgRequired
        path = validate_return_to(return_to)
        state, nonce = secrets.token_urlsafe(ENTROPY_BYTES), secrets.token_urlsafe(ENTROPY_BYTES)
        browser_id = browser_id or secrets.token_urlsafe(ENTROPY_BYTES)
        verifier = self.xero.new_verifier()
        payload = Payload(
            org_id=user.org_id,
            user_id=user.user_id,
            return_to=path,
            browser_hash=fingerprint(browser_id),
            verifier=verifier,
            nonce=nonce,
            reconnect=str(reconnect) if reconnect else None,
        )
        identifier = fingerprint(state)
        async with self.database.transaction() as tx:
            if reconnect is not None:
                await require_binding(tx, reconnect, user.org_id)
            expires_at = await tx.attempts.add(
                identifier,
                sealed_payload=self.keys.encrypt_token(payload.write(), _context(identifier)),
                browser_hash=payload.browser_hash,
                lifetime=ATTEMPT_LIFETIME,
            )
            await tx.audit.add(
                AuditEvent(
                    actor,
                    AuditAction.CONNECT_STARTED,
                    org_id=user.org_id,
                    binding_id=reconnect,
                )
            )
        url = self.xero.get_auth_url(state=state, nonce=nonce, verifier=verifier)
        return AuthorizationRequest(url, expires_at, browser_id)

    async def finish(
        self,
        callback: CallbackParams,
        actor: Actor,
        *,
        browser_id: str | None,
        session: SessionUser | None,
    ) -> str:
        """Consume the verification token; return the path and query to redirect the browser to.

        `session`: the user signed in now, if known. Errors become an `error` parameter.
        """
        try:
            return await self._complete(callback, actor, browser_id, session)
        except IntegrationError as error:
            log.warning("a callback was cut short", problem=error.code)
            return _redirect_target(DEFAULT_RETURN_TO, error=ExchangeFailed.code)

    async def _complete(
        self,
        callback: CallbackParams,
        actor: Actor,
        browser_id: str | None,
        session: SessionUser | None,
    ) -> str:
        if not callback.state:
            return await self._redirect_with_error(actor, FlowMismatch())
        identifier = fingerprint(callback.state)
        async with self.database.transaction() as tx:
            sealed = await tx.attempts.consume(identifier)
        if sealed is None:
            return await self._replay(identifier, actor, browser_id)
        failpoints.reached(Place.ATTEMPT_CONSUMED)
        payload = Payload.read(self.keys.decrypt_token(sealed, _context(identifier)))
        # A browser that disconnects does not cancel the exchange.
        return await asyncio.shield(
            self.background.start(
                self._complete_consumed(identifier, payload, callback, actor, browser_id, session)
            )
        )

    async def _complete_consumed(
        self,
        identifier: str,
        payload: Payload,
        callback: CallbackParams,
        actor: Actor,
        browser_id: str | None,
        session: SessionUser | None,
    ) -> str:
        grant_id: UUID | None = None
        try:
            code = self._validate_callback(payload, callback, browser_id, session)
            initiator = Initiator(payload.org_id, payload.user_id, _as_initiator(actor, payload))
            grant_id = await self._exchange(code, payload, initiator)
            query = {"action": "select_tenant", "grantId": str(grant_id)}
            if payload.reconnect is not None:
                query = await self.reconnects.finish(initiator, grant_id, UUID(payload.reconnect))
            target = _redirect_target(payload.return_to, **query)
        except FlowError as error:
            target = await self._redirect_with_error(actor, error, payload)
        with contextlib.suppress(ServiceBusy):
            async with self.database.transaction() as tx:
                await tx.attempts.record_landing(identifier, target, grant_id)
        return target

    def _validate_callback(
        self,
        payload: Payload,
        callback: CallbackParams,
        browser_id: str | None,
        session: SessionUser | None,
    ) -> str:
        """Return the code of a callback with the browser, user, org and issuer of the start."""
        if browser_id is None or not secrets.compare_digest(
            fingerprint(browser_id), payload.browser_hash
        ):
            raise FlowMismatch
        if session is not None and not _is_initiator(session, payload):
            raise SessionMismatch
        if callback.issuer is not None and callback.issuer.rstrip("/") != self.issuer:
            raise FlowMismatch
        if callback.error is not None:
            raise ConsentDenied if callback.error == "access_denied" else ExchangeFailed
        if not callback.code:
            raise ExchangeFailed
        return callback.code

    async def _exchange(self, code: str, payload: Payload, initiator: Initiator) -> UUID:
        work = self.background.start(
            self.code_exchange.exchange(code, payload.verifier, payload.nonce, initiator)
        )
        try:
            async with asyncio.timeout(BROWSER_WAIT_SECONDS):
                return await asyncio.shield(work)
        except FlowError:
            raise
        except (TimeoutError, IntegrationError) as error:
            raise ExchangeFailed from error

    async def _replay(self, identifier: str, actor: Actor, browser_id: str | None) -> str:
        """Return the redirect for an unknown, expired or used state, without an exchange."""
        deadline = asyncio.get_running_loop().time() + FIRST_CALLBACK_WAIT_SECONDS
        while True:
            async with self.database.transaction() as tx:
                attempt = await tx.attempts.find(identifier)
            if (
                attempt is None
                or browser_id is None
                or not secrets.compare_digest(fingerprint(browser_id), attempt.browser_hash)
            ):
                return await self._redirect_with_error(actor, FlowMismatch())
            if attempt.landing is not None:
                return attempt.landing
            if not attempt.consumed:
                payload = self._open_payload(identifier, attempt)
                return await self._redirect_with_error(actor, FlowExpired(), payload)
            if asyncio.get_running_loop().time() > deadline:
                return await self._redirect_with_error(actor, ExchangeFailed())
            await asyncio.sleep(0.1)

    def _open_payload(self, identifier: str, attempt: Attempt) -> Payload | None:
        if attempt.sealed_payload is None:
            return None
        return Payload.read(self.keys.decrypt_token(attempt.sealed_payload, _context(identifier)))

    async def _redirect_with_error(
        self, actor: Actor, error: FlowError, payload: Payload | None = None
    ) -> str:
        """Audit the refusal and return its redirect.

        Refusals that end no flow are throttled, so that invented states cannot fill the log.
        """
        org_id = payload.org_id if payload else None
        if payload and isinstance(error, FlowMismatch | SessionMismatch):
            org_id = None  # the caller does not belong to the org that started the flow
        elif payload:
            actor = _as_initiator(actor, payload)
        ends_flow = payload is not None and not isinstance(error, FlowExpired)
        if ends_flow or self.refusals.allow((actor.id, error.code, org_id)):
            refused = AuditEvent(actor, AuditAction.CONNECT_REFUSED, error.code, org_id=org_id)
            async with self.database.transaction() as tx:
                await tx.audit.add(refused)
        is_same_browser = payload is not None and not isinstance(error, FlowMismatch)
        return _redirect_target(
            payload.return_to if payload and is_same_browser else DEFAULT_RETURN_TO,
            error=error.code,
        )


def validate_return_to(value: str | None) -> str:
    """Return a plain path of the frontend; raise InvalidReturnTo for anything else.

    Only unreserved characters and slashes: no scheme, host, query, fragment, backslash, control
    character or percent sign (RFC 9700 §4.11).
    """
    if value is None:
        return DEFAULT_RETURN_TO
    plain = all(c.isascii() and (c.isalnum() or c in "-._~/") for c in value)
    if not plain or not value.startswith("/") or "//" in value or len(value) > 512:
        raise InvalidReturnTo("returnTo must be a path such as /settings/integrations.")
    if any(segment in {".", ".."} for segment in value.split("/")):
        raise InvalidReturnTo("returnTo must be a path without dot segments.")
    return value


def _as_initiator(actor: Actor, payload: Payload) -> Actor:
    """Return the actor as the user who started the flow: the flow cookie proved the browser."""
    return replace(actor, kind="user", id=payload.user_id)


def _is_initiator(session: SessionUser, payload: Payload) -> bool:
    return (session.user_id, session.org_id, session.impersonator) == (
        payload.user_id,
        payload.org_id,
        None,
    )


def _redirect_target(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}"


def _context(identifier: str) -> str:
    return f"{identifier}:token"
