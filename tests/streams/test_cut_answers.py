"""C3: an answer that has begun and breaks off is cut, and recorded as cut with its own status."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.service_api.callers import Service, idle, now, problem, served
from tests.service_api.conftest import Connected
from tests.service_api.upstream import over_the_network, slots
from tests.streams.raw_upstream import Plan, RawUpstream
from tests.world import Application, until
from xero_service.app import PREFIX
from xero_service.errors import NotFound
from xero_service.services.proxy import service as proxy_service
from xero_service.telemetry import ACCESS, configure_logging

SIZE = 300_000
CUT = "xero_service_http_answers_cut_total"


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
async def caller(application: Application, billing: Service) -> AsyncIterator[Service]:
    """The service over a real connection to a real server."""
    async with over_the_network(application, billing) as found:
        yield found


async def cut(caller: Service, path: str) -> tuple[int, int]:
    """Call; return the status, and how much of the body came before the connection closed."""
    received = 0
    headers = {"Authorization": f"Bearer {caller.made.secret}"}
    async with caller.http.stream("GET", path, headers=headers) as response:
        try:
            async for part in response.aiter_raw():
                received += len(part)
        except httpx.RemoteProtocolError:
            return response.status_code, received
    raise AssertionError("The answer came to its end.")


def planned(connected: Connected, plan: str = "a") -> str:
    return f"{PREFIX}/bindings/{connected.id}/api/files.xro/1.0?plan={plan}"


async def recorded(heard: pytest.LogCaptureFixture) -> dict[str, Any]:
    """The only line of the access log, and that no error was logged."""

    def lines() -> list[dict[str, Any]]:
        return [each.__dict__[ACCESS] for each in heard.records if ACCESS in each.__dict__]

    await until(lambda: now(bool(lines())))
    (line,) = lines()
    loud = [each for each in heard.records if each.exc_info or "RuntimeError" in each.getMessage()]
    assert loud == []
    return line


async def counted(caller: Service) -> dict[str, float]:
    """How many answers were cut, by what ended them."""
    text = (await caller.http.get("/metrics")).text
    assert not [
        line for line in text.splitlines() if 'status="504"' in line and not line.endswith(" 0.0")
    ]
    cut = [line for line in text.splitlines() if line.startswith(CUT + "{")]
    return {line.split('"')[1]: float(line.split()[-1]) for line in cut}


@pytest.mark.parametrize("is_chunked", [True, False], ids=["chunked", "sized"])
async def test_an_answer_that_breaks_off_at_xero_breaks_off_here_c3(
    caller: Service,
    connected: Connected,
    calling_upstream: RawUpstream,
    heard: pytest.LogCaptureFixture,
    is_chunked: bool,
) -> None:
    heard.clear()
    calling_upstream.plans["a"] = Plan(body=b"x" * SIZE, is_chunked=is_chunked, breaks_off=True)

    status, received = await cut(caller, planned(connected))

    assert (status, received <= SIZE // 2) == (200, True)
    line = await recorded(heard)
    assert (line["status"], line["cut_by"]) == (200, "xero")
    assert await counted(caller) == {"caller": 0, "xero": 1, "service": 0}


async def test_an_answer_that_never_ends_is_cut_c3(
    application: Application,
    caller: Service,
    connected: Connected,
    calling_upstream: RawUpstream,
    heard: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same where our own deadline ends it."""
    heard.clear()
    monkeypatch.setattr(proxy_service, "LONGEST_CALL_SECONDS", 3.0)
    calling_upstream.plans["a"] = Plan(is_chunked=True, rest_after=1, holds=True)

    assert await cut(caller, planned(connected)) == (200, 0)

    line = await recorded(heard)
    assert (line["status"], line["cut_by"]) == (200, "xero")
    assert await counted(caller) == {"caller": 0, "xero": 1, "service": 0}
    await idle(application)
    assert await slots(connected) == 0


async def test_a_caller_that_leaves_amid_the_answer_is_recorded_c3(
    application: Application,
    caller: Service,
    connected: Connected,
    calling_upstream: RawUpstream,
    heard: pytest.LogCaptureFixture,
) -> None:
    heard.clear()
    calling_upstream.plans["a"] = Plan(is_chunked=True, rest_after=1, holds=True)

    headers = {"Authorization": f"Bearer {caller.made.secret}"}
    async with caller.http.stream("GET", planned(connected), headers=headers) as response:
        assert response.status_code == 200

    line = await recorded(heard)
    assert (line["status"], line["cut_by"]) == (200, "caller")
    assert await counted(caller) == {"caller": 1, "xero": 0, "service": 0}
    await idle(application)
    assert await slots(connected) == 0


async def test_an_upload_that_fails_behind_an_early_answer_is_a_failure_c3(
    caller: Service, connected: Connected, calling_upstream: RawUpstream
) -> None:
    """26 MiB, of which Xero says 200 before it has read them: nothing of that answer is passed."""
    calling_upstream.plans["a"] = Plan(after=10)

    async def too_much() -> AsyncIterator[bytes]:
        for _ in range(26):
            yield b"x" * 1024 * 1024

    headers = {"Authorization": f"Bearer {caller.made.secret}"}
    response = await caller.http.post(planned(connected), headers=headers, content=too_much())

    assert problem(response) == (413, "body_too_large")
    (request,) = calling_upstream.of("a")
    assert not request.is_whole


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_may_say_how_long_it_would_be_c3(
    caller: Service,
    connected: Connected,
    calling_upstream: RawUpstream,
    heard: pytest.LogCaptureFixture,
    status: int,
) -> None:
    """RFC 9110 §8.6: a 304 names the length of the 200 that it stands for."""
    heard.clear()
    calling_upstream.plans["a"] = Plan(status=status, body=b"", declared=100)

    headers = {"Authorization": f"Bearer {caller.made.secret}"}
    answers = [await caller.http.get(planned(connected), headers=headers) for _ in range(2)]

    assert [each.status_code for each in answers] == [status] * 2
    assert not [each for each in heard.records if each.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "error", [NotFound("late"), ValueError("late")], ids=["ours", "unforeseen"]
)
async def test_any_route_that_fails_amid_its_answer_cuts_it_once_c3(
    application: Application, heard: pytest.LogCaptureFixture, error: Exception
) -> None:
    async def begins(_: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"begun"
            raise error

        return StreamingResponse(parts())

    application.app.add_route("/begins", begins)
    async with served(application.app) as address, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{address}/begins")
        text = (await client.get(f"{address}/metrics")).text

    (line, _) = [each.__dict__[ACCESS] for each in heard.records if ACCESS in each.__dict__]
    assert (line["status"], line["cut_by"]) == (200, "service")
    assert f'{CUT}{{by="service"}} 1.0' in text
    told = [each for each in heard.records if each.exc_info or "Traceback" in each.getMessage()]
    assert len(told) <= 1


async def test_the_server_calls_no_cut_answer_an_error_c3(
    caller: Service,
    connected: Connected,
    calling_upstream: RawUpstream,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(level="INFO", form="json")
    calling_upstream.plans["a"] = Plan(body=b"x" * SIZE, breaks_off=True)
    assert (await cut(caller, planned(connected)))[0] == 200
    await asyncio.sleep(0)
    await counted(caller)

    written = capsys.readouterr().err
    assert '"cut_by":"xero"' in written
    assert '"level": "error"' not in written
    assert "Traceback" not in written
