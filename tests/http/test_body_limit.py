"""A body is limited to 64 KiB before authentication; the proxy has a limit of its own."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.http.conftest import problem
from tests.service_api.callers import client_of
from tests.world import Application
from xero_service.api.body_limit import MAX_BODY_BYTES
from xero_service.app import PREFIX

PART = b" " * 16 * 1024
BINDING = f"{PREFIX}/bindings/7d0f3c1e-93c5-4a39-8f2b-0c4a6a3d5a10"
JSON = {"Content-Type": "application/json"}
TAKING = [f"{PREFIX}{path}" for path in ("/disconnect", "/refresh", "/tenants/select")]


class Long:
    """A body of 1 MiB without a declared length, which counts the bytes that were read."""

    taken = 0

    async def parts(self) -> AsyncIterator[bytes]:
        for _ in range(64):
            self.taken += len(PART)
            yield PART


@pytest.mark.parametrize("path", [*TAKING, f"{BINDING}/token"])
async def test_a_body_without_a_length_is_read_to_the_limit_only(
    http: httpx.AsyncClient, path: str
) -> None:
    """S43: for every caller."""
    body = Long()

    answer = await http.post(path, content=body.parts(), headers=JSON)

    said = problem(answer)
    assert (said["status"], said["code"]) == (413, "body_too_large")
    assert said["detail"] == "Send at most 64 KiB."
    assert body.taken <= MAX_BODY_BYTES + len(PART)


@pytest.mark.parametrize("declared", [str(MAX_BODY_BYTES + 1), "9" * 20])
async def test_what_is_declared_too_large_is_not_begun(
    http: httpx.AsyncClient, declared: str
) -> None:
    """S43."""
    body = Long()

    answer = await http.post(
        TAKING[0], content=body.parts(), headers={**JSON, "Content-Length": declared}
    )

    assert (problem(answer)["code"], body.taken) == ("body_too_large", 0)


async def test_what_is_not_too_large_is_asked_who_sends_it(application: Application) -> None:
    """The proxy authenticates before it reads the body."""
    body = Long()

    async with client_of(application) as client:
        whole = await client.post(TAKING[0], content=b"{}".ljust(MAX_BODY_BYTES), headers=JSON)
        passing = await client.post(f"{BINDING}/api/api.xro/2.0/Invoices", content=body.parts())

    assert problem(whole)["status"] == problem(passing)["status"] == 401
    assert body.taken == 0
