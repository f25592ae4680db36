"""B5: the bytes that the proxy buffers are bounded per process and key, and are released."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.service_api.callers import Service, idle, now, problem, service
from tests.service_api.conftest import Connected
from tests.service_api.upstream import instead_of_xero, over_the_network
from tests.world import Application, until
from xero_service.errors import ServiceBusy
from xero_service.services.proxy import bodies
from xero_service.services.proxy import service as proxy_service
from xero_service.services.proxy.bodies import BodyBudget

KIB = 1024
CONTACTS = "api.xro/2.0/Contacts"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BUFFERED_PER_KEY", 100 * KIB)
    monkeypatch.setattr(bodies, "MAX_BUFFERED", 150 * KIB)


@pytest.fixture
def held(application: Application) -> Iterator[BodyBudget]:
    """The budget; after the test no byte may be reserved."""
    budget = application.services.proxy.bodies
    yield budget
    assert (budget.buffered, budget._by_key) == (0, {})


class Slow:
    """A body whose rest arrives when the test releases it."""

    def __init__(self, first: int) -> None:
        self.first, self.begun, self.finish = first, asyncio.Event(), asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"x" * self.first
        self.begun.set()
        await self.finish.wait()
        yield b"y"


async def test_a_key_that_sends_too_much_at_once_is_asked_to_wait_and_others_are_not_b5(
    application: Application, billing: Service, connected: Connected, held: BodyBudget
) -> None:
    other = await service(application, name="other")
    slow = [Slow(50 * KIB - 1), Slow(50 * KIB - 1)]
    async with asyncio.timeout(30), instead_of_xero(application) as upstream:
        calls = [
            asyncio.create_task(billing.calls(connected.id, CONTACTS, "POST", content=each))
            for each in slow
        ]
        await asyncio.gather(*(each.begun.wait() for each in slow))
        refused = await billing.calls(connected.id, CONTACTS, "POST", content=b"x" * KIB)
        small = await billing.calls(connected.id, CONTACTS, "POST", content=b"x")
        without = await billing.calls(connected.id)
        others = await other.calls(connected.id, CONTACTS, "POST", content=b"x" * 40 * KIB)
        for each in slow:
            each.finish.set()
        finished = await asyncio.gather(*calls)
        again = await billing.calls(connected.id, CONTACTS, "POST", content=b"x" * 90 * KIB)

    assert problem(refused) == (503, "service_busy")
    assert int(refused.headers["Retry-After"]) > 0
    assert [each.status_code for each in (small, without, others, again, *finished)] == [200] * 6
    assert sorted(len(body) for body in upstream.bodies) == sorted(
        [1, 0, 40 * KIB, 90 * KIB, 50 * KIB, 50 * KIB]
    )
    await other.http.aclose()


async def test_all_keys_together_have_a_limit_b5(
    application: Application, billing: Service, connected: Connected, held: BodyBudget
) -> None:
    other = await service(application, name="other")
    slow = Slow(90 * KIB)
    async with asyncio.timeout(30), instead_of_xero(application):
        call = asyncio.create_task(billing.calls(connected.id, CONTACTS, "POST", content=slow))
        await slow.begun.wait()
        refused = await other.calls(connected.id, CONTACTS, "POST", content=b"x" * 70 * KIB)
        slow.finish.set()
        assert (await call).status_code == 200
        served = await other.calls(connected.id, CONTACTS, "POST", content=b"x" * 70 * KIB)

    assert problem(refused) == (503, "service_busy")
    assert served.status_code == 200
    await other.http.aclose()


@pytest.mark.parametrize(
    "ending", ["leaves", "too slow", "xero silent", "too large", "shorter", "cancelled"]
)
async def test_what_was_kept_is_given_back_however_the_call_ends_b5(
    application: Application,
    billing: Service,
    connected: Connected,
    held: BodyBudget,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
) -> None:
    async def silent(_: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def too_large() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 50 * KIB

    slow = Slow(50 * KIB)
    if ending == "too slow":
        monkeypatch.setattr(proxy_service, "BODY_SECONDS", 0.1)
    if ending == "xero silent":
        monkeypatch.setattr(proxy_service, "SILENCE_SECONDS", 0.1)
        slow.finish.set()
    monkeypatch.setattr(bodies, "MAX_BUFFERED_BODY", 60 * KIB)
    monkeypatch.setattr(bodies, "MAX_BODY", 300 * KIB)
    headers = {"Content-Length": str(60 * KIB)} if ending == "shorter" else {}
    async with asyncio.timeout(30), instead_of_xero(application, silent):
        if ending == "leaves":
            async with over_the_network(application, billing) as caller:
                call = asyncio.create_task(
                    caller.calls(connected.id, CONTACTS, "POST", content=slow)
                )
                await until(lambda: now(held.buffered > 0))
                call.cancel()
                with suppress(asyncio.CancelledError):
                    await call
            await until(lambda: now(held.buffered == 0))
            return
        content = too_large() if ending == "too large" else slow
        call = asyncio.create_task(
            billing.calls(connected.id, CONTACTS, "POST", content=content, headers=headers)
        )
        if ending == "cancelled":
            await slow.begun.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return
        if ending == "shorter":
            slow.finish.set()
        refused = problem(await call)
    await idle(application)
    assert (
        refused
        == {
            "too slow": (422, "invalid_request"),
            "xero silent": (504, "xero_timeout"),
            "too large": (413, "body_too_large"),
            "shorter": (422, "invalid_request"),
        }[ending]
    )


async def test_a_stream_holds_nothing_once_its_beginning_is_sent_b5(
    application: Application,
    billing: Service,
    connected: Connected,
    held: BodyBudget,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "MAX_BUFFERED_BODY", 60 * KIB)
    more, finish = asyncio.Event(), asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        for number in range(20):
            yield b"x" * 50 * KIB
            if number == 1:
                await more.wait()
        await finish.wait()

    async def answer(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async with asyncio.timeout(30), instead_of_xero(application, answer):
        call = asyncio.create_task(billing.calls(connected.id, CONTACTS, "POST", content=parts()))
        await until(lambda: now(held.buffered == 100 * KIB))
        more.set()
        await until(lambda: now(held.buffered == 0))
        assert not call.done()
        finish.set()
        assert (await call).text == str(1000 * KIB)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), max_size=20))
def test_the_budget_is_never_passed_and_ends_empty_b5(taken: list[tuple[str, int]]) -> None:
    budget, by_key = BodyBudget(), dict[str, int]()
    shares = []
    for key, kib in taken:
        context = budget.share(key)
        share = context.__enter__()
        shares.append(context)
        try:
            share.reserve(kib * KIB)
        except ServiceBusy:
            fits = by_key.get(key, 0) + kib <= 100 and sum(by_key.values()) + kib <= 150
            assert not fits
        else:
            by_key[key] = by_key.get(key, 0) + kib
        assert budget.buffered == sum(by_key.values()) * KIB <= 150 * KIB
        assert all(of_key <= 100 for of_key in by_key.values())
    for context in shares:
        context.__exit__(None, None, None)
    assert budget.buffered == 0
