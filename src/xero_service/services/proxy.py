"""The API proxy: a service's call goes to Xero with a live token, within the tenant's limits."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from uuid import UUID, uuid4

from xero_service.domain import Grant, Scope
from xero_service.errors import RateBudgetExhausted, ServiceBusy, UpstreamTimeout, XeroSilent
from xero_service.services.access import AccessService
from xero_service.services.proxy_rules import back, checked_target, onward
from xero_service.services.reconciling import ReconcileService
from xero_service.services.tokens import TokenService
from xero_service.singleflight import BackgroundWork
from xero_service.store.call_budgets import CallBudgets, Learned
from xero_service.xero.answers import error_field, retry_after
from xero_service.xero.transport import StreamedAnswer, Transport

PATIENCE_SECONDS = 2.0  # how long a call waits for its turn
SILENCE_SECONDS = 60.0  # how long Xero may say nothing
SLOT_FOR = timedelta(seconds=120)  # a crashed caller's slot is free again after this
COOL_DOWN_UNKNOWN = timedelta(seconds=2)  # after a 429 that does not say how long
REFUSAL_AT_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A service's call as it came; `body` of bytes can be sent twice, a stream only once."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | AsyncIterator[bytes] = field(repr=False)
    length: int | None


@dataclass(frozen=True, slots=True)
class ProxyService:
    """Forwards calls to Xero's API host, and to no other."""

    access: AccessService
    tokens: TokenService
    budgets: CallBudgets
    reconcile: ReconcileService
    transport: Transport
    background: BackgroundWork
    api_url: str

    @asynccontextmanager
    async def call(
        self, key_text: str, org_id: str | None, binding_id: UUID, request: Forwarded
    ) -> AsyncIterator[StreamedAnswer]:
        """Yield Xero's answer, whatever it is; a token that Xero calls expired is renewed once.

        Raises as `AccessService.usable_binding` does, ForbiddenPath, RateBudgetExhausted,
        UpstreamTimeout, ExternalAPIError or ServiceBusy.
        """
        target = checked_target(request.path, request.query)
        found = await self.access.usable_binding(key_text, org_id, binding_id, Scope.API_CALL)
        tenant_id = found.binding.tenant_id
        grant = await self.tokens.usable(found.binding.grant)
        call, learned = uuid4(), Learned()
        await self._take_turn(tenant_id, call)
        try:
            async with AsyncExitStack() as stack:
                answer = await stack.enter_async_context(
                    self._sent(request, target, grant, tenant_id)
                )
                if answer.status == 401 and isinstance(request.body, bytes):
                    answer, expired = await _peeked(answer)
                    if expired:
                        await stack.aclose()
                        grant = await self.tokens.refresh_grant_single_flight(
                            grant.id, beyond=grant.generation
                        )
                        answer = await stack.enter_async_context(
                            self._sent(request, target, grant, tenant_id)
                        )
                learned = _learned(answer)
                if answer.status == 403:
                    self.reconcile.soon(grant.id)
                yield StreamedAnswer(answer.status, tuple(back(answer.headers)), answer.body)
        except XeroSilent as error:
            raise UpstreamTimeout("Xero did not answer; the call may have been made.") from error
        finally:
            _ = self.background.start(self._give_back(tenant_id, call, learned))

    @asynccontextmanager
    async def _sent(
        self, request: Forwarded, target: str, grant: Grant, tenant_id: str
    ) -> AsyncIterator[StreamedAnswer]:
        headers = [
            *onward(request.headers),
            ("authorization", f"Bearer {self.tokens.access_token(grant)}"),
            ("xero-tenant-id", tenant_id),
        ]
        async with self.transport.stream(
            request.method,
            f"{self.api_url}/{target}",
            headers=headers,
            content=request.body,
            length=request.length,
            within=SILENCE_SECONDS,
        ) as answer:
            yield answer

    async def _take_turn(self, tenant_id: str, call: UUID) -> None:
        """Take a slot of the tenant's, waiting two seconds at most."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        pause = 0.02
        while not await self.budgets.take(tenant_id, call, slot_for=SLOT_FOR):
            wait = (await self.budgets.wait_for(tenant_id)).total_seconds()
            if time.monotonic() + max(wait, pause) > deadline:
                raise RateBudgetExhausted(
                    "This organisation's share of Xero's rate limits is used up for now.",
                    retry_after=max(1, ceil(wait)),
                )
            await asyncio.sleep(max(wait, pause * random.uniform(0.7, 1.3)))  # noqa: S311
            pause = min(pause * 1.6, 0.25)

    async def _give_back(self, tenant_id: str, call: UUID, learned: Learned) -> None:
        with contextlib.suppress(ServiceBusy):
            await self.budgets.give_back(tenant_id, call, learned)


async def _peeked(answer: StreamedAnswer) -> tuple[StreamedAnswer, bool]:
    """Read a 401, and tell whether it says that the token expired.

    Not so for a missing scope, which is a 401 too: no refresh would help (facts §1.10).
    """
    body = bytearray()
    async for part in answer.body:
        body += part
        if len(body) > REFUSAL_AT_MOST:
            break
    detail = error_field(bytes(body), "detail") or ""

    async def again() -> AsyncIterator[bytes]:
        yield bytes(body)
        async for part in answer.body:
            yield part

    read = StreamedAnswer(answer.status, answer.headers, again())
    return read, detail.startswith("TokenExpired")


def _learned(answer: StreamedAnswer) -> Learned:
    headers = dict(answer.headers)
    cool_down = None
    if answer.status == 429:
        seconds = retry_after(headers)
        cool_down = COOL_DOWN_UNKNOWN if seconds is None else timedelta(seconds=seconds)
    return Learned(
        day_remaining=_number(headers, "x-daylimit-remaining"),
        minute_remaining=_number(headers, "x-minlimit-remaining"),
        cool_down=cool_down,
    )


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else None
