"""S17: each caller sends each operation; `matrix.txt` is the golden file of the results.

`pytest tests/access -k everybody --write-matrix` writes the file anew. Read the difference before
you commit it: each changed line lets somebody in, or keeps somebody out.
"""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.access.operations import (
    HIDDEN,
    PUBLIC,
    Objects,
    Operation,
    operations,
    undocumented,
)
from tests.access.principals import Principal, people, services
from tests.service_api.callers import client_of, idle
from tests.world import World
from xero_sandbox.samples import ACME_TRADING

GOLDEN = Path(__file__).with_name("matrix.txt")
HEAD = f"# {'operation':24} {'caller':34} answer\n"
# Pages for people, without any data: beside the document, open to all.
PAGES = {
    ("get", "/openapi.json"),
    ("head", "/openapi.json"),
    ("get", "/docs"),
    ("head", "/docs"),
    ("get", "/docs/start.js"),
    ("head", "/docs/start.js"),
    ("mount", "/docs/assets/{path}"),
    # As GET, which has its rows, without the body.
    ("head", "/healthz"),
    ("head", "/readyz"),
    ("head", "/metrics"),
}
# What a refused call may leave behind: the record of it.
RECORDED = {"access.denied", "connect.refused"}
STATE = """
    SELECT md5(string_agg(part, '')) FROM (
        SELECT g::text AS part FROM integration_grants g
        UNION ALL SELECT b::text FROM integration_tenant_bindings b
        UNION ALL SELECT a::text FROM grant_authorisations a
        UNION ALL SELECT c::text FROM remote_cleanups c
        UNION ALL SELECT v::text FROM verification_tokens v
        UNION ALL SELECT (to_jsonb(k) - 'last_used_at')::text FROM service_keys k
        UNION ALL SELECT l::text FROM call_budgets l
        ORDER BY part
    ) AS everything
"""


def line(operation: Operation, principal: Principal, answer: str) -> str:
    return f"{operation.id:26} {principal.name:34} {answer}\n"


def rows(text: str) -> dict[str, list[str]]:
    """The lines of each operation."""
    found: dict[str, list[str]] = {}
    for each in text.splitlines(keepends=True):
        if not each.startswith("#"):
            found.setdefault(each.split()[0], []).append(each)
    return found


def test_every_route_has_its_rows() -> None:
    """S17: a route that nobody gave a row fails here, whether the document knows it or not."""
    assert undocumented() == PAGES | {(each.method, each.path) for each in HIDDEN}
    assert set(rows(GOLDEN.read_text())) == {each.id for each in operations()}


def test_what_is_open_to_all_is_a_short_list() -> None:
    """S1."""
    open_to_all = {
        operation
        for operation, lines in rows(GOLDEN.read_text()).items()
        if not any("anonymous" in each and each.split()[2] == "401" for each in lines)
    }

    assert open_to_all == PUBLIC


async def test_everybody_gets_what_the_matrix_says(
    world: World, request: pytest.FixtureRequest
) -> None:
    """S17, and S1, S9, S11, S13, S14, S15 in their rows; a refused call changes nothing."""
    keys = await services(world)
    admin = await world.acme_admin()
    about = bound(await admin.connects(ACME_TRADING))
    said = []
    for operation in operations():
        for principal in [*await people(world), *keys]:
            before = await state(world)
            response = await send(world, operation, principal, about)
            said.append(line(operation, principal, described(operation, response)))
            if refused(response):
                assert await state(world) == before, said[-1]
            elif operation.id == "disconnectBinding":
                about = bound(await admin.connects(ACME_TRADING))

    if request.config.getoption("--write-matrix", default=False):
        GOLDEN.write_text(HEAD + "".join(said))
    assert HEAD + "".join(said) == GOLDEN.read_text()


def bound(binding: dict[str, str]) -> Objects:
    return Objects(binding["id"], binding["grantId"])


async def send(
    world: World, operation: Operation, principal: Principal, about: Objects
) -> httpx.Response:
    async with client_of(world.application) as client:
        return await client.request(
            operation.method,
            operation.address(about),
            headers={"Accept": "application/json", **principal.headers},
            **operation.sends(about),
        )


async def state(world: World) -> tuple[object, ...]:
    """Everything that a refused call must leave as it was, here and at Xero."""
    await idle(world.application)
    return (
        await world.database.fetchval(STATE),
        await world.database.fetchval(
            "SELECT count(*) FROM audit_events WHERE action <> ALL($1::text[])", sorted(RECORDED)
        ),
        len(world.sandbox.journal()),
    )


def refused(response: httpx.Response) -> bool:
    return response.headers.get("content-type") == "application/problem+json" or (
        response.status_code == 303 and "error=" in response.headers["location"]
    )


def described(operation: Operation, response: httpx.Response) -> str:
    """The answer in words that stay the same from run to run."""
    status = response.status_code
    if response.headers.get("content-type") == "application/problem+json":
        if operation.method == "head":
            return str(status)
        return f"{status} {response.json()['code']}"
    if status == 303:
        query = parse_qs(urlsplit(response.headers["location"]).query)
        return f"303 error={query['error'][0]}"
    return f"{status} from Xero" if operation.is_xeros_answer else str(status)
