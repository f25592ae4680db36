"""Bodies that are too large, too slow, broken or of another type: a 4xx, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.service_api.callers import problem
from tests.world import World
from tests.xero_webhooks.conftest import Bound, FromXero
from tests.xero_webhooks.signed import PATH, batch, headers_of, stored, xero_event
from xero_sandbox.samples import ACME_TRADING
from xero_service.services.events import webhook_bodies
from xero_service.services.events.webhook_bodies import LARGE_AT_ONCE, MAX_BODY, MAX_SMALL_BODY

PART = 16 * 1024


def large(size: int) -> bytes:
    """A webhook of this many bytes."""
    event = xero_event(ACME_TRADING, note="")
    return batch(1, event | {"note": "n" * (size - len(batch(1, event)))})


async def in_parts(body: bytes, taken: list[int]) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PART):
        taken.append(len(body[start : start + PART]))
        yield body[start : start + PART]


async def test_a_body_of_a_mebibyte_is_received(world: World, xero: FromXero, bound: Bound) -> None:
    assert (await xero.sends_body(large(MAX_BODY))).status_code == 200
    assert len(await stored(world.database)) == 1


async def test_a_longer_body_is_413_before_it_is_read(
    world: World, xero: FromXero, bound: Bound
) -> None:
    body = large(MAX_BODY + 1)
    taken: list[int] = []

    response = await xero.http.post(
        PATH,
        content=in_parts(body, taken),
        headers=headers_of(body, xero.key, **{"content-length": str(len(body))}),
    )

    assert problem(response) == (413, "body_too_large")
    assert response.json()["detail"] == "Send at most 1 MiB."
    assert await stored(world.database) == []


async def test_a_body_that_does_not_say_its_length_is_read_no_further_than_the_limit(
    xero: FromXero,
) -> None:
    taken: list[int] = []
    body = large(3 * MAX_BODY)

    response = await xero.http.post(
        PATH, content=in_parts(body, taken), headers=headers_of(body, "a stranger's key")
    )

    assert problem(response) == (413, "body_too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"events"',
        b"{}",
        b'{"events": null}',
        b'{"events": {}}',
        b'{"events": [1]}',
        b'{"events": [null]}',
        b'{"events": [{"tenantId": NaN}]}',
        b'{"events": [], "a": Infinity}',
        b'{"events": [{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
        b'{"events": [{"a": ' + b"9" * 10_000 + b"}]}",
        b"\xff\xfe\x00",
    ],
)
async def test_a_signed_body_that_is_no_webhook_is_400_and_stores_nothing(
    world: World, xero: FromXero, body: bytes
) -> None:
    """S59: only what is signed gets a reason."""
    assert problem(await xero.sends_body(body)) == (400, "malformed_request")
    assert await stored(world.database) == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "json"])
async def test_another_media_type_is_415_and_xero_may_repeat_it_as_json(
    world: World, xero: FromXero, bound: Bound, content_type: str
) -> None:
    body = batch(1, xero_event(ACME_TRADING))

    refused = await xero.sends_body(body, **{"content-type": content_type})

    assert problem(refused) == (415, "unsupported_media_type")
    assert (await xero.sends_body(body)).status_code == 200
    assert len(await stored(world.database)) == 1


async def test_strangers_with_large_bodies_cannot_fill_the_memory(
    world: World, xero: FromXero, bound: Bound
) -> None:
    """S37: beyond the slots a large body is 503; a usual webhook passes nevertheless."""
    go_on = asyncio.Event()
    arrived = asyncio.Semaphore(0)

    async def held() -> AsyncIterator[bytes]:
        yield b"n" * (MAX_SMALL_BODY + 1)
        arrived.release()
        await go_on.wait()

    strangers = [
        asyncio.create_task(xero.http.post(PATH, content=held(), headers=headers_of(b"", "x")))
        for _ in range(LARGE_AT_ONCE)
    ]
    async with asyncio.timeout(20):
        for _ in strangers:
            await arrived.acquire()

    busy = await xero.sends_body(large(MAX_SMALL_BODY + 1))
    usual = await xero.sends_body(large(MAX_SMALL_BODY))
    go_on.set()
    refused = await asyncio.gather(*strangers)

    assert problem(busy) == (503, "service_busy")
    assert int(busy.headers["retry-after"]) > 0
    assert usual.status_code == 200
    assert {each.status_code for each in refused} == {401}
    assert (await xero.sends_body(large(MAX_SMALL_BODY + 1))).status_code == 200


async def test_a_body_that_never_ends_is_408_and_frees_its_slot(
    xero: FromXero, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_bodies, "READ_SECONDS", 0.05)

    async def endless() -> AsyncIterator[bytes]:
        yield b"n" * (MAX_SMALL_BODY + 1)
        await asyncio.Event().wait()

    for _ in range(LARGE_AT_ONCE + 1):
        response = await xero.http.post(PATH, content=endless(), headers=headers_of(b"", "x"))
        assert problem(response) == (408, "request_timeout")
