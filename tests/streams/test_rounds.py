"""B1, S53: whatever becomes of an upload of org A, no byte of org B's call is read as its body.

An upstream answers before it has read the upload, keeps the connection and records every byte.
`make soak` does 200 rounds; SOAK_SEED, which a failure names, draws the same timings again.
"""

from pathlib import Path

import pytest

from tests.concurrency.conftest import StartReplica
from tests.deploy import test_nginx
from tests.deploy.test_nginx import place as place
from tests.service_api.callers import served
from tests.service_api.conftest import Connected
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
@pytest.mark.parametrize("keeps_connections", [False, True], ids=["as shipped", "keepalive"])
async def test_calls_of_two_orgs_do_not_mix_behind_the_shipped_nginx_b1(
    application: Application,
    connected: Connected,
    calling_upstream: RawUpstream,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    keeps_connections: bool,
    count: int,
) -> None:
    """As it is, and where an operator lets nginx keep its connections to the service."""
    async with served(application.app) as address:
        service = address.removeprefix("http://")
        if keeps_connections:
            monkeypatch.setattr(test_nginx, "DEPLOY", with_keepalive(place, service))
        for web in test_nginx.serve(place, service, trusted="127.0.0.1"):
            rounds = await rounds_of(
                application, connected, calling_upstream, str(web.base_url).rstrip("/")
            )
            await rounds.run(count)


def with_keepalive(place: Path, service: str) -> Path:
    """Copy the shipped configuration, with a pool of connections in place of the variable."""
    directory = place / "deploy"
    directory.mkdir(exist_ok=True)
    site = (test_nginx.DEPLOY / "site.conf.template").read_text()
    assert "proxy_pass http://$api;" in site
    kept = f"upstream kept {{ server {service}; keepalive 16; }}\n"
    (directory / "site.conf.template").write_text(
        kept + site.replace("http://$api;", "http://kept;")
    )
    (directory / "nginx.conf").write_text((test_nginx.DEPLOY / "nginx.conf").read_text())
    return directory
