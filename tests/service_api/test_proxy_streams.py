"""S37: bodies pass in pieces, within limits and deadlines, and a call ends with its caller."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from tests.service_api.callers import Service, idle, problem
from tests.service_api.conftest import Connected
from tests.service_api.upstream import instead_of_xero, over_the_network, slots
from tests.world import Application, until
from xero_service.services.proxy import service as proxy_service
from xero_service.services.proxy.bodies import MAX_BODY

MIB = 1024 * 1024
FILES = "files.xro/1.0/Files"


def streamed(
    caller: Service, connected: Connected, path: str
) -> AbstractAsyncContextManager[httpx.Response]:
    """Call a path of Xero's by the proxy; the answer's body is still to be read."""
    return caller.http.stream(
        "GET",
        f"/api/integrations/xero/bindings/{connected.id}/api/{path}",
        headers={"Authorization": f"Bearer {caller.made.secret}"},
    )


async def test_a_download_reaches_the_caller_before_it_has_ended(
    application: Application, billing: Service, connected: Connected
) -> None:
    arrived = asyncio.Event()

    async def in_pieces() -> AsyncIterator[bytes]:
        for n in range(20):
            yield bytes([n]) * MIB
            if n == 0:
                await arrived.wait()  # nothing more before the caller has the first piece

    async def answer(_: Request) -> Response:
        return StreamingResponse(in_pieces(), headers={"content-length": str(20 * MIB)})

    received = 0
    async with (
        asyncio.timeout(60),
        instead_of_xero(application, answer),
        over_the_network(application, billing) as caller,
        streamed(caller, connected, f"{FILES}/1/Content") as response,
    ):
        async for piece in response.aiter_raw():
            received += len(piece)
            if received >= MIB:
                arrived.set()

    assert received == 20 * MIB
    assert response.headers["content-length"] == str(20 * MIB)


async def test_an_upload_reaches_xero_before_it_has_ended(
    application: Application, billing: Service, connected: Connected
) -> None:
    arrived = asyncio.Event()
    received = 0

    async def answer(request: Request) -> Response:
        nonlocal received
        async for piece in request.stream():
            received += len(piece)
            if received >= MIB:
                arrived.set()
        return PlainTextResponse(str(received))

    async def in_pieces() -> AsyncIterator[bytes]:
        for n in range(20):
            yield bytes([n]) * MIB
            if n == 2:
                await arrived.wait()

    async with (
        asyncio.timeout(60),
        instead_of_xero(application, answer),
        over_the_network(application, billing) as caller,
    ):
        response = await caller.calls(connected.id, FILES, "POST", content=in_pieces())

    assert response.text == str(20 * MIB)


async def test_a_body_that_declares_too_much_is_refused_up_front(
    application: Application, billing: Service, connected: Connected
) -> None:
    async with instead_of_xero(application) as upstream:
        response = await billing.calls(
            connected.id, FILES, "POST", content=b"x", headers={"Content-Length": str(26 * MIB)}
        )

    assert problem(response) == (413, "body_too_large")
    assert upstream.requests == []


async def test_a_body_that_turns_out_too_large_ends_the_call(
    application: Application, billing: Service, connected: Connected
) -> None:
    ended: list[int] = []

    async def answer(request: Request) -> Response:
        received = 0
        try:
            async for piece in request.stream():
                received += len(piece)
        finally:
            ended.append(received)
        return PlainTextResponse("all of it")

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MIB

    async with instead_of_xero(application, answer):
        response = await billing.calls(connected.id, FILES, "POST", content=endless())
        assert problem(response) == (413, "body_too_large")
        await until(lambda: _true(ended))

    assert ended[0] <= MAX_BODY
    await idle(application)
    assert await slots(connected) == 0


async def test_an_upstream_that_says_nothing_is_given_up(
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proxy_service, "SILENCE_SECONDS", 0.3)
    never = asyncio.Event()

    async def silence(_: Request) -> Response:
        await never.wait()
        return PlainTextResponse("too late")

    async with instead_of_xero(application, silence):
        response = await billing.calls(connected.id)
        never.set()

    assert problem(response) == (504, "xero_timeout")
    await idle(application)
    assert await slots(connected) == 0


async def test_an_upstream_that_never_ends_is_given_up(
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """C3: the answer had begun, so it is cut; tests/streams has how that is recorded.

    On a busy machine an answer may begin after a limit of half a second: then 504, and once more.
    """

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b"."
            await asyncio.sleep(0.05)

    async def answer(_: Request) -> Response:
        return StreamingResponse(dripping())

    async with (
        instead_of_xero(application, answer),
        over_the_network(application, billing) as caller,
    ):
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            await caller.calls(connected.id)

    await idle(application)
    assert await slots(connected) == 0


async def test_a_connection_that_is_cut_leaves_open_whether_the_call_was_made(
    billing: Service, connected: Connected
) -> None:
    connected.world.sandbox.fault("api", "drop", times=1)

    response = await billing.calls(connected.id)

    assert problem(response) == (504, "xero_timeout")


async def test_a_caller_that_hangs_up_frees_its_slot(
    application: Application, billing: Service, connected: Connected
) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * MIB
            await asyncio.sleep(0)

    async def answer(_: Request) -> Response:
        return StreamingResponse(in_pieces())

    async with (
        asyncio.timeout(60),
        instead_of_xero(application, answer),
        over_the_network(application, billing) as caller,
        streamed(caller, connected, FILES) as response,
    ):
        async for _ in response.aiter_raw():
            assert await slots(connected) == 1
            break
        await response.aclose()
        await until(lambda: _no_slots(connected))


async def _no_slots(connected: Connected) -> bool:
    return await slots(connected) == 0


async def _true(found: object) -> bool:
    return bool(found)
