"""The API proxy: sends a service's call to Xero with a live token, within the tenant's limits."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

from xero_service.domain import BoundGrant, Grant, Scope
from xero_service.errors import (
    PermissionMissing,
    PermissionRefused,
    TokenDoubted,
    TokenExpired,
    UpstreamTimeout,
    XeroNoResponse,
)
from xero_service.services.proxy.bodies import BodyBudget, BodyShare, buffer_small, peek
from xero_service.services.proxy.paths import validate_target
from xero_service.services.proxy.permissions import missing_scope
from xero_service.services.proxy.rate_limiter import LONGEST_CALL_SECONDS, TenantRateLimiter
from xero_service.services.proxy.rules import request_headers, response_headers
from xero_service.services.reconcile.service import ReconcileService
from xero_service.services.service_keys.authorization import ServiceAuthorizer, ServiceCredentials
from xero_service.services.tokens.service import TokenService
from xero_service.store.rate_limits import ReportedLimits
from xero_service.timeouts import (
    APP_COOL_DOWN_UNKNOWN,
    BODY_SECONDS,
    COOL_DOWN_AT_MOST,
    COOL_DOWN_UNKNOWN,
    DECISION_SECONDS,
    SILENCE_SECONDS,
)
from xero_service.xero.http import HttpClient, RequestContext, StreamedResponse
from xero_service.xero.responses import error_field, refusal, retry_after


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """A service's call as received, its body unread; header names are lower case."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: AsyncIterator[bytes] = field(repr=False)
    length: int | None

    @property
    def has_body(self) -> bool:
        """Whether the request has a body to read before the call is sent."""
        return bool(self.length) or any(name == "transfer-encoding" for name, _ in self.headers)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that was admitted: a `body` of bytes can be sent twice, a stream only once."""

    request: ProxyRequest
    target: str
    credentials: ServiceCredentials = field(repr=False)
    binding_id: UUID
    body: bytes | AsyncIterator[bytes] = field(repr=False)
    id: UUID
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Authorized:
    """A binding that was authorized `at` this time of the monotonic clock or later."""

    bound: BoundGrant
    at: float


@dataclass(frozen=True, slots=True)
class ProxyService:
    """Forwards calls to Xero's API host and no other host."""

    authorizer: ServiceAuthorizer
    tokens: TokenService
    rate_limiter: TenantRateLimiter
    reconcile: ReconcileService
    transport: HttpClient
    api_url: str
    bodies: BodyBudget
    required_scopes: tuple[str, ...]

    @asynccontextmanager
    async def call(
        self, credentials: ServiceCredentials, binding_id: UUID, request: ProxyRequest
    ) -> AsyncIterator[StreamedResponse]:
        """Yield Xero's answer, also an error; a call whose token Xero refuses is repeated once.

        The call is authorized again after each wait, so that a key or binding revoked meanwhile
        is refused. Raises as `ServiceAuthorizer.authorize` does, ForbiddenPath, InvalidRequest,
        BodyTooLarge, RateBudgetExhausted, UpstreamTimeout, ExternalAPIError or ServiceBusy;
        PermissionMissing where Xero refused the call for want of a scope.
        """
        with self.bodies.share(credentials.key) as share:
            call, authorized = await self._admit(credentials, binding_id, request, share)
            reported = ReportedLimits()
            try:
                async with asyncio.timeout(call.ends_at - time.monotonic()):
                    authorized = await self._recheck(call, authorized)
                    async with self._send(call, authorized) as answer:
                        reported = reported_limits(answer)
                        answer, repeat = await self._handle_refusal(call, authorized, answer)
                        if not repeat:
                            yield _filter_headers(answer)
                            return
                    async with self._send(
                        call, await self._prepare_repeat(call, authorized)
                    ) as answer:
                        reported = reported_limits(answer)
                        yield _filter_headers(answer)
            except (XeroNoResponse, TimeoutError) as error:
                raise UpstreamTimeout(
                    "Xero did not answer; the call may have been made.", retry_after=5
                ) from error
            finally:
                self.rate_limiter.release(authorized.bound.binding.tenant_id, call.id, reported)

    async def _admit(
        self,
        credentials: ServiceCredentials,
        binding_id: UUID,
        request: ProxyRequest,
        share: BodyShare,
    ) -> tuple[_Call, _Authorized]:
        """Authorize the caller, buffer its body, then acquire a slot of the tenant's.

        In this order, so that a refused caller and a slow body occupy no slot.
        """
        target = validate_target(request.path, request.query)
        authorized = await self._authorize_fresh(credentials, binding_id)
        body: bytes | AsyncIterator[bytes] = b""
        if request.has_body:
            body = await buffer_small(request.body, request.length, share, within=BODY_SECONDS)
        call_id, ends_at = uuid4(), time.monotonic() + LONGEST_CALL_SECONDS
        await self.rate_limiter.acquire(authorized.bound.binding.tenant_id, call_id)
        return _Call(request, target, credentials, binding_id, body, call_id, ends_at), authorized

    async def _authorize_fresh(
        self, credentials: ServiceCredentials, binding_id: UUID
    ) -> _Authorized:
        """Return a binding whose grant has a live token, authorized after any wait for it."""
        authorized = await self._authorize(credentials, binding_id)
        seen = authorized.bound.grant
        if await self.tokens.refresh_if_due(seen) is not seen:
            return await self._authorize(credentials, binding_id)
        return authorized

    async def _authorize(self, credentials: ServiceCredentials, binding_id: UUID) -> _Authorized:
        at = time.monotonic()
        found = await self.authorizer.authorize(credentials, binding_id, Scope.API_CALL)
        return _Authorized(found.bound, at)

    async def _recheck(self, call: _Call, authorized: _Authorized) -> _Authorized:
        """Return `authorized`, or authorize again once its time to live is over (S51)."""
        if time.monotonic() - authorized.at < DECISION_SECONDS:
            return authorized
        return await self._authorize(call.credentials, call.binding_id)

    async def _handle_refusal(
        self, call: _Call, authorized: _Authorized, answer: StreamedResponse
    ) -> tuple[StreamedResponse, bool]:
        """Refresh or reconcile after a refusal; return the answer and whether to repeat the call.

        A streamed body cannot be repeated: its caller gets the 401 and may retry. Raises
        ReauthorizationRequired where Xero ended the grant, PermissionMissing where a new consent
        would grant the scope that the call needs.
        """
        if answer.status not in {401, 403}:
            return answer, False
        answer, body = await peek(answer)
        grant = authorized.bound.grant
        if answer.status == 403 and error_field(body, "detail") == "AuthenticationUnsuccessful":
            self.reconcile.reconcile_soon(call.binding_id, grant.id)
        refused = refusal(answer.status, answer.headers, body)
        if issubclass(refused, PermissionRefused):
            self._require_permission(call.request, grant)
        if not issubclass(refused, TokenExpired | TokenDoubted):
            return answer, False
        _ = await self._recheck(call, authorized)
        if await self.tokens.refresh_after_refusal(grant, refused) is None:
            return answer, False
        return answer, isinstance(call.body, bytes)

    def _require_permission(self, request: ProxyRequest, grant: Grant) -> None:
        """Raise PermissionMissing where the grant lacks the configured scope of a refused call."""
        scope = missing_scope(request.method, request.path, grant.scopes, self.required_scopes)
        if scope is not None:
            raise PermissionMissing(
                f"An admin must connect again on the settings page, to grant {scope}."
            )

    async def _prepare_repeat(self, call: _Call, authorized: _Authorized) -> _Authorized:
        await self.rate_limiter.acquire(authorized.bound.binding.tenant_id, call.id)
        return await self._authorize(call.credentials, call.binding_id)

    def _send(self, call: _Call, authorized: _Authorized) -> RequestContext:
        bound, body = authorized.bound, call.body
        headers = [
            *request_headers(call.request.headers),
            ("authorization", f"Bearer {self.tokens.access_token(bound.grant)}"),
            ("xero-tenant-id", bound.binding.tenant_id),
        ]
        return self.transport.stream(
            call.request.method,
            f"{self.api_url}/{call.target}",
            headers=headers,
            content=body
            if isinstance(body, bytes)
            else self._guard_last_chunk(call, authorized, body),
            length=call.request.length,
            within=SILENCE_SECONDS,
        )

    async def _guard_last_chunk(
        self, call: _Call, authorized: _Authorized, body: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        """Yield a body as it arrives, its last part only if the call is still authorized."""
        last = b""
        async for part in body:
            if last and part:
                yield last
            last = part or last
        _ = await self._recheck(call, authorized)
        yield last


def _filter_headers(answer: StreamedResponse) -> StreamedResponse:
    return replace(answer, headers=tuple(response_headers(answer.status, answer.headers)))


def reported_limits(answer: StreamedResponse) -> ReportedLimits:
    """Return the limits that the headers of Xero's answer report."""
    headers = dict(answer.headers)
    cool_down, for_app = None, False
    if answer.status == 429:
        seconds = retry_after(headers)
        for_app = headers.get("x-rate-limit-problem", "").strip().lower() == "appminute"
        unknown = APP_COOL_DOWN_UNKNOWN if for_app else COOL_DOWN_UNKNOWN
        cool_down = unknown if seconds is None else timedelta(seconds=seconds)
        cool_down = min(cool_down, COOL_DOWN_AT_MOST)
    return ReportedLimits(
        day_remaining=_parse_count(headers, "x-daylimit-remaining"),
        minute_remaining=_parse_count(headers, "x-minlimit-remaining"),
        cool_down=cool_down,
        for_app=for_app,
    )


def _parse_count(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else None
