"""B1, S53: whatever becomes of an upload of org A, no byte of org B's call is read as its body.

An upstream answers before it has read the upload, keeps the connection and records every byte.
`make soak` does 200 rounds; SOAK_SEED, which a failure names, draws the same timings again.
"""

from pathlib import Path

import httpx
import pytest

from tests.concurrency.conftest import StartReplica
from tests.deploy.test_nginx import place as place
from tests.deploy.test_nginx import serve
from tests.internal.callers import served
from tests.internal.conftest import Connected
from tests.streams.raw_upstream import RawUpstream
from tests.streams.rounds import rounds_of
from tests.world import Application

ROUNDS = pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.soak)])


@ROUNDS
async def test_calls_of_two_orgs_do_not_mix_b1(
    application: Application, connected: Connected, calling_upstream: RawUpstream, count: int
) -> None:
    async with served(application.app) as address:
        rounds = await rounds_of(application, connected, calling_upstream, address)
        await rounds.run(count)


@ROUNDS
async def test_calls_of_two_orgs_do_not_mix_on_two_replicas_b1(
    application: Application,
    connected: Connected,
    upstream: RawUpstream,
    replica: StartReplica,
    process_environment: dict[str, str],
    count: int,
) -> None:
    process_environment["XERO_API_URL"] = upstream.url
    async with replica("--no-upkeep") as first, replica("--no-upkeep") as second:
        rounds = await rounds_of(application, connected, upstream, first.url, second.url)
        await rounds.run(count)


@ROUNDS
async def test_calls_of_two_orgs_do_not_mix_behind_the_shipped_nginx_b1(
    application: Application,
    connected: Connected,
    calling_upstream: RawUpstream,
    place: Path,
    count: int,
) -> None:
    async with served(application.app) as address:
        for web in serve(place, address.removeprefix("http://"), trusted="127.0.0.1"):
            assert isinstance(web, httpx.Client)
            rounds = await rounds_of(
                application, connected, calling_upstream, str(web.base_url).rstrip("/")
            )
            await rounds.run(count)
