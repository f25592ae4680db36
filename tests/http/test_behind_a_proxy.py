"""Behind a proxy: only trusted hops name the client address; forged headers change nothing.

The options are those with which `serve` starts uvicorn, the sockets are real.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from tests.service_api.callers import idle, service
from tests.world import Application, World, until
from xero_sandbox.samples import ACME_TRADING
from xero_service.api.source import source_of
from xero_service.app import PREFIX
from xero_service.cli import serve
from xero_service.settings import Settings

FORGED = {
    "X-Forwarded-For": "198.51.100.1, 203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example.com",
    "Forwarded": "for=198.51.100.1;proto=https;host=evil.example.com",
    "X-Real-Ip": "198.51.100.1",
}


@asynccontextmanager
async def served(
    application: Application, monkeypatch: pytest.MonkeyPatch, trusted: str | None
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve as `xero-service serve` does, where these hops are trusted."""
    built: list[uvicorn.Config] = []
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    if trusted:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    monkeypatch.setattr(serve, "_serve", built.append)
    await asyncio.to_thread(serve.serve, upkeep=False)
    (config,) = built
    config.app, config.factory, config.port, config.lifespan = application.app, False, 0, "off"
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False
        ) as client:
            yield client
    finally:
        server.should_exit = server.force_exit = True
        await serving


@pytest.mark.parametrize(
    ("trusted", "source"),
    [
        (None, "127.0.0.1"),
        ("10.9.9.9", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9"),
        ("127.0.0.1,203.0.113.9", "198.51.100.1"),
    ],
    ids=["no proxy", "another proxy", "this proxy", "two proxies"],
)
async def test_the_source_on_record_is_what_a_trusted_hop_says(
    world: World, monkeypatch: pytest.MonkeyPatch, trusted: str | None, source: str
) -> None:
    """S49, S50: and of a list only what trusted hops added, never the caller's own part."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    key = await service(world.application)

    async with served(world.application, monkeypatch, trusted) as client:
        headers = {"Authorization": f"Bearer {key.made.secret}", **FORGED}
        issued = await client.post(f"{PREFIX}/bindings/{binding['id']}/token", headers=headers)
        session = {"Authorization": f"Bearer {admin.token()}", **FORGED}
        started = await client.get(f"{PREFIX}/start", headers=session)
    await idle(world.application)

    assert (issued.status_code, started.status_code) == (200, 200)
    assert [row["source"] for row in await world.audited("token.issued")] == [source]
    assert (await world.audited("connect.started"))[-1]["source"] == source


async def test_proxies_named_in_the_file_are_trusted(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """C10, S50: in `.env` as in the environment."""
    admin = await world.acme_admin()
    (tmp_path / ".env").write_text("FORWARDED_ALLOW_IPS=127.0.0.1\n")
    monkeypatch.chdir(tmp_path)

    async with served(world.application, monkeypatch, None) as client:
        session = {"Authorization": f"Bearer {admin.token()}", **FORGED}
        started = await client.get(f"{PREFIX}/start", headers=session)

    assert started.status_code == 200
    assert (await world.audited("connect.started"))[-1]["source"] == "203.0.113.9"


async def test_a_source_that_is_no_address_is_not_on_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S48, S49: even where a trusted hop passes on what it was told."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    key = await service(world.application)

    async with served(world.application, monkeypatch, "127.0.0.1") as client:
        said = {"X-Forwarded-For": "billing, at the usual place"}
        headers = {"Authorization": f"Bearer {key.made.secret}", **said}
        issued = await client.post(f"{PREFIX}/bindings/{binding['id']}/token", headers=headers)
        session = {"Authorization": f"Bearer {admin.token()}", **said}
        started = await client.get(f"{PREFIX}/start", headers=session)
    await idle(world.application)

    assert (issued.status_code, started.status_code) == (200, 200)
    assert [row["source"] for row in await world.audited("token.issued")] == [None]
    assert (await world.audited("connect.started"))[-1]["source"] is None


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("fe80::1%any text", "fe80::1"),
        ("203.0.113.9 ", None),
        ("203.0.113.009", None),
        ("api.example.com", None),
        ("x" * 12_000, None),
        ("", None),
    ],
)
def test_only_an_address_is_a_source(said: str, source: str | None) -> None:
    """S48."""
    assert source_of({"type": "http", "client": (said, 1)}) == source


async def test_forged_headers_loosen_nothing_where_the_service_is_plain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S24, S44, S46: what is secure is configuration; on loopback that is plain HTTP."""
    admin = await world.acme_admin()

    async with served(world.application, monkeypatch, "127.0.0.1") as client:
        session = {"Authorization": f"Bearer {admin.token()}", **FORGED}
        started = await client.get(f"{PREFIX}/start", headers=session)

    assert "strict-transport-security" not in started.headers
    assert started.headers["set-cookie"].startswith("xero_flow=")
    assert "evil" not in started.text + str(started.headers)


async def test_forged_headers_loosen_nothing_where_the_service_is_secure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S44, S45, S46: behind a proxy that ends TLS every hop of ours is plain, and says so."""
    secure = settings.model_copy(
        update={"public_url": "https://api.example.com", "frontend_url": "https://app.example.com"}
    )
    async with (
        Application.running(secure) as application,
        served(application, monkeypatch, "127.0.0.1") as client,
    ):
        plain = {**FORGED, "X-Forwarded-Proto": "http", "Origin": "https://evil.example.com"}
        answer = await client.get("/healthz", headers=plain)

    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers
