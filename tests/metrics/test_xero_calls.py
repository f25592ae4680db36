"""O3: every call to Xero is counted by area and outcome, and timed; 429 by the limit reached."""

import asyncio

import httpx
import pytest

from tests.metrics.scrape import Samples, parsed, series, value
from tests.service_api.callers import ORGANISATION, service
from tests.world import World
from xero_sandbox.samples import ACME_TRADING
from xero_service.errors import XeroInvalidResponse
from xero_service.telemetry import Metrics
from xero_service.xero.metered_transport import MeteredTransport

CALLS = "xero_service_xero_calls_total"
SECONDS = "xero_service_xero_call_duration_seconds"
LIMITED = "xero_service_xero_rate_limited_total"
REFRESH_SECONDS = "xero_service_refresh_duration_seconds"


async def scraped(world: World) -> Samples:
    async with world.application.http() as http:
        return parsed((await http.get("/metrics")).text)


def added(before: Samples, after: Samples, name: str) -> dict[tuple[str, ...], float]:
    """What rose, by the values of its labels."""
    known = series(before, name)
    return {
        tuple(value for _, value in sorted(labels)): now - known[labels]
        for labels, now in series(after, name).items()
        if now != known[labels]
    }


async def test_connecting_and_disconnecting_counts_each_area_o3(world: World) -> None:
    before = await scraped(world)
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    billing = await service(world.application)
    async with billing.http:
        assert (await billing.calls(binding["id"])).status_code == 200
    await admin.disconnects(binding["id"])

    after = await scraped(world)

    counted = added(before, after, CALLS)
    assert set(counted) == {
        ("token", "ok"),
        ("connections", "ok"),
        ("signing_keys", "ok"),
        ("api", "ok"),
        ("revocation", "ok"),
    }
    assert counted["token", "ok"] == counted["api", "ok"] == counted["revocation", "ok"] == 1
    timed = added(before, after, f"{SECONDS}_count")
    assert timed == {(area,): number for (area, _), number in counted.items()}


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("500", "failed"),
        ("429", "rate_limited"),
        ("invalid_client", "refused"),
        ("drop", "no_answer"),
    ],
)
async def test_a_refresh_that_fails_is_counted_by_what_xero_did_and_timed_o3(
    world: World, fault: str, outcome: str
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], days=46)
    world.sandbox.fault("token.refresh", fault, times=1)
    before = await scraped(world)

    await world.services.upkeep.round()

    after = await scraped(world)
    assert added(before, after, CALLS)["token", outcome] == 1
    assert value(after, f"{REFRESH_SECONDS}_count") - value(before, f"{REFRESH_SECONDS}_count") == 1


async def test_a_429_of_a_proxied_call_is_counted_by_its_limit_o3(world: World) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    billing = await service(world.application)
    world.sandbox.fault("api", "429", times=1)
    before = await scraped(world)

    async with billing.http:
        assert (await billing.calls(binding["id"], ORGANISATION)).status_code == 429

    after = await scraped(world)
    assert added(before, after, CALLS) == {("api", "rate_limited"): 1}
    assert added(before, after, LIMITED) == {("minute",): 1}


BY_ERROR: dict[type[BaseException], str] = {
    httpx.ConnectError: "unreachable",
    httpx.ReadTimeout: "no_answer",
    XeroInvalidResponse: "unreadable",
    asyncio.CancelledError: "abandoned",
}


@pytest.mark.parametrize("error", BY_ERROR)
async def test_a_call_without_a_response_is_counted_by_what_ended_it_o3(
    error: type[BaseException],
) -> None:
    class Failing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise error(f"{request.method} ended")

    metrics = Metrics()
    transport = MeteredTransport(Failing(), metrics.xero.of("api"))

    with pytest.raises(error):
        await transport.handle_async_request(httpx.Request("GET", "http://xero.invalid"))

    found = parsed(metrics.render().decode())
    assert value(found, CALLS, area="api", outcome=BY_ERROR[error]) == 1
