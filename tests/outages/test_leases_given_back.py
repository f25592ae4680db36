"""A lease is given back although the connection broke that was to do it."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.world import World
from xero_sandbox.samples import ACME_TRADING
from xero_service.store.grant_refreshes import GrantRefreshes
from xero_service.store.leases import Leases


@pytest.mark.parametrize(
    ("store", "name", "table"),
    [(Leases, "release", "leases"), (GrantRefreshes, "release_lease", "integration_grants")],
)
async def test_a_lease_whose_return_breaks_its_connection_goes_back_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch, store: Any, name: str, table: str
) -> None:
    give_back, broken = getattr(store, name), 0

    async def breaks_once(leases: Any, *arguments: Any, **options: Any) -> None:
        nonlocal broken
        broken += 1
        if broken == 1:
            end = text("SELECT pg_terminate_backend(pg_backend_pid())")
            await leases._connection.execute(end)
        await give_back(leases, *arguments, **options)

    monkeypatch.setattr(store, name, breaks_once)
    admin = await world.acme_admin()

    binding = await admin.connects(ACME_TRADING)
    await admin.disconnects(binding["id"])

    assert broken > 1
    held = f"SELECT count(*) FROM {table} WHERE lease_until > now()"  # noqa: S608
    assert await world.database.fetchval(held) == 0
