"""S51: a call that waited for its body or a slot is sent only if it is still authorized."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tests.service_api.callers import ORGANISATION, Service, idle, problem, served
from tests.service_api.conftest import Connected
from tests.service_api.upstream import instead_of_xero, slots
from tests.world import Application, until
from xero_service.app import PREFIX
from xero_service.domain import SYSTEM
from xero_service.services.proxy import service as proxy_service

MIB = 1024 * 1024
CONTACTS = "api.xro/2.0/Contacts"
MORE_THAN_A_TOKENS_LIFE = 31 * 60

Ending = Callable[[Application, Service, Connected], Awaitable[object]]


async def _revoke(application: Application, billing: Service, _: Connected) -> None:
    await application.services.keys.revoke(SYSTEM, billing.made.key.id)


async def _suspend(application: Application, _: Service, connected: Connected) -> None:
    await application.services.operators.suspend(SYSTEM, UUID(connected.id))


async def _disconnect(_: Application, __: Service, connected: Connected) -> None:
    await connected.admin.disconnects(connected.id)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Authorize again after every wait, however short."""
    monkeypatch.setattr(proxy_service, "DECISION_SECONDS", 0.0)


@dataclass
class _Slow:
    """A body whose rest arrives when the test releases it."""

    first: bytes
    asked_for_more: asyncio.Event
    finish: asyncio.Event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.first
        self.asked_for_more.set()
        await self.finish.wait()
        yield b" "


def _slow(first: bytes) -> _Slow:
    return _Slow(first, asyncio.Event(), asyncio.Event())


@pytest.mark.parametrize(
    ("end", "refused", "size"),
    [
        (_revoke, (401, "unauthorized"), 1),
        (_suspend, (409, "binding_suspended"), 1),
        (_disconnect, (404, "not_found"), 1),
        (_revoke, (401, "unauthorized"), 2 * MIB),
    ],
    ids=["key_revoked", "suspended", "disconnected", "key_revoked_amid_a_stream"],
)
@pytest.mark.usefixtures("at_once")
async def test_a_body_that_comes_after_the_end_does_not_reach_xero_whole(
    application: Application,
    billing: Service,
    connected: Connected,
    end: Ending,
    refused: tuple[int, str],
    size: int,
) -> None:
    whole: list[bytes] = []

    async def answer(request: Request) -> Response:
        try:
            whole.append(await request.body())
        except ClientDisconnect:
            return PlainTextResponse("nobody hears this")
        return PlainTextResponse("done")

    body = _slow(b"x" * size)
    async with asyncio.timeout(30), instead_of_xero(application, answer) as upstream:
        headers = {"Content-Length": str(size + 1)}
        call = asyncio.create_task(
            billing.calls(connected.id, CONTACTS, "POST", content=body, headers=headers)
        )
        await body.asked_for_more.wait()
        await end(application, billing, connected)
        body.finish.set()
        response = await call

    assert problem(response) == refused
    assert whole == []
    assert size > MIB or upstream.requests == []
    await idle(application)
    assert await slots(connected) == 0


async def test_a_caller_that_is_refused_takes_none_of_its_tenants_calls(
    application: Application, billing: Service, connected: Connected
) -> None:
    """Also one that was admitted a moment ago, and one that only names such a key."""
    stranger = billing.presenting(f"{billing.made.secret.rpartition('_')[0]}_guessed")
    assert (await billing.calls(connected.id)).status_code == 200
    await _revoke(application, billing, connected)

    refused = [await each.calls(connected.id) for each in (billing, stranger)]

    assert {problem(each) for each in refused} == {(401, "unauthorized")}
    await idle(application)
    assert len(connected.world.calls("api")) == 1
    assert (
        await connected.world.database.fetchval(
            "SELECT cardinality(recent_calls) FROM call_budgets"
        )
        == 1
    )
    assert await slots(connected) == 0


async def test_no_slot_is_held_while_a_body_comes(
    application: Application, billing: Service, connected: Connected
) -> None:
    held: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        held.append(await slots(connected))
        yield b"{}"

    assert (await billing.calls(connected.id)).status_code == 200
    await idle(application)

    answer = await billing.calls(connected.id, CONTACTS, "POST", content=body())

    assert answer.status_code < 500
    assert held == [0]


@pytest.mark.usefixtures("at_once")
async def test_a_call_that_waited_for_its_turn_is_judged_when_it_gets_it(
    application: Application,
    billing: Service,
    connected: Connected,
) -> None:
    let_go = asyncio.Event()

    async def slowly(_: Request) -> Response:
        await let_go.wait()
        return PlainTextResponse("done")

    async with asyncio.timeout(30), instead_of_xero(application, slowly) as upstream:
        calls = [asyncio.create_task(billing.calls(connected.id)) for _ in range(6)]

        async def five_are_there() -> bool:
            return len(upstream.requests) == 5

        await until(five_are_there)
        await _revoke(application, billing, connected)
        let_go.set()
        responses = await asyncio.gather(*calls)

    answered = [response for response in responses if response.status_code == 200]
    (late,) = [response for response in responses if response.status_code != 200]
    assert len(answered) == 5
    assert problem(late) == (401, "unauthorized")
    assert len(upstream.requests) == 5


@pytest.mark.usefixtures("at_once")
async def test_no_token_is_renewed_for_a_call_that_may_no_longer_be_made(
    application: Application,
    billing: Service,
    connected: Connected,
) -> None:
    async def revoke_and_refuse(_: Request) -> Response:
        await _revoke(application, billing, connected)
        return JSONResponse({"Detail": "TokenExpired: token expired at 01/01/2026 00:00:00"}, 401)

    before = len(connected.world.calls("token.refresh"))
    async with instead_of_xero(application, revoke_and_refuse) as upstream:
        response = await billing.calls(connected.id)

    assert problem(response) == (401, "unauthorized")
    assert len(upstream.requests) == 1
    assert len(connected.world.calls("token.refresh")) == before


async def test_a_call_is_not_repeated_for_a_key_that_was_revoked_during_the_refresh(
    application: Application, billing: Service, connected: Connected
) -> None:
    """A repetition is authorized again, however short the wait was."""
    connected.world.sandbox.advance(MORE_THAN_A_TOKENS_LIFE)
    hold = connected.world.hold("token.refresh")
    call = asyncio.create_task(billing.calls(connected.id))
    await hold.reached()

    await application.services.keys.revoke(SYSTEM, billing.made.key.id)
    await hold.release()

    assert problem(await call) == (401, "unauthorized")
    assert [each["status"] for each in connected.world.calls("api")] == [401]


async def test_a_body_that_does_not_come_is_not_waited_for_for_long(
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proxy_service, "BODY_SECONDS", 0.2)
    body = _slow(b"{")

    async with asyncio.timeout(30), instead_of_xero(application) as upstream:
        response = await billing.calls(connected.id, CONTACTS, "POST", content=body)

    assert problem(response) == (422, "invalid_request")
    assert upstream.requests == []
    assert await slots(connected) == 0


@pytest.mark.parametrize("sent", [1, 2 * MIB], ids=["kept", "streamed"])
async def test_a_caller_that_hangs_up_amid_its_body_is_no_error_of_ours(
    application: Application,
    billing: Service,
    connected: Connected,
    caplog: pytest.LogCaptureFixture,
    sent: int,
) -> None:
    ended = asyncio.Event()

    async def answer(request: Request) -> Response:
        try:
            await request.body()
        finally:
            ended.set()
        return PlainTextResponse("not reached")

    def statuses() -> list[int]:
        access = (each for each in caplog.records if each.name == "xero_service.access")
        return [each.__dict__["access"]["status"] for each in access]

    async def is_over() -> bool:
        return bool(statuses())

    with caplog.at_level(logging.INFO):
        async with instead_of_xero(application, answer), served(application.app) as address:
            parts = urlsplit(address)
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            head = [
                f"POST {PREFIX}/bindings/{connected.id}/api/{ORGANISATION} HTTP/1.1",
                "Host: service",
                f"Authorization: Bearer {billing.made.secret}",
                f"Content-Length: {3 * MIB}",
            ]
            writer.write("\r\n".join([*head, "", ""]).encode() + b"x" * sent)
            await writer.drain()
            if sent > MIB:
                await until(lambda: _slots_taken(connected))
            writer.close()
            await until(is_over)
            if sent > MIB:
                await asyncio.wait_for(ended.wait(), 20)

    theirs = [each for each in caplog.records if each.name.startswith("xero_service")]
    assert [each.getMessage() for each in theirs if each.levelno > logging.INFO] == []
    assert statuses() == [499]
    await idle(application)
    assert await slots(connected) == 0


async def _slots_taken(connected: Connected) -> bool:
    return await slots(connected) == 1
