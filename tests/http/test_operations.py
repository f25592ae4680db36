"""/healthz, /readyz, /metrics and the documentation page."""

import re
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from tests.databases import END_OTHER_SESSIONS
from tests.http.conftest import Raising
from tests.service_api.callers import served
from tests.world import Application, until
from xero_service.settings import Settings
from xero_service.telemetry import Metrics


@pytest.fixture
async def cut_off(alone: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A running service whose database is away."""
    async with Application.running(alone) as running, running.http() as client:
        yield client


@pytest.fixture
async def whole(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A running service that has everything it needs."""
    async with application.http() as client:
        yield client


async def test_a_service_whose_database_is_away_is_alive(cut_off: httpx.AsyncClient) -> None:
    response = await cut_off.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_but_not_ready(cut_off: httpx.AsyncClient) -> None:
    response = await cut_off.get("/readyz")

    assert response.status_code == 503
    assert response.json()["code"] == "service_busy"
    assert int(response.headers["retry-after"]) >= 1


async def test_a_service_with_a_migrated_database_is_ready(whole: httpx.AsyncClient) -> None:
    response = await whole.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"status": "ready", "database": "ok", "migrations": "current"}


@pytest.mark.parametrize(
    "behind",
    [
        "DROP TABLE alembic_version",
        "DELETE FROM alembic_version",
        "UPDATE alembic_version SET version_num = '0000'",
        "UPDATE alembic_version SET version_num = 'ae1027a6acf'",
        "UPDATE alembic_version SET version_num = ''",
    ],
)
async def test_a_service_ahead_of_its_database_is_not_ready(
    whole: httpx.AsyncClient, database_url: str, behind: str
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(behind)
    await connection.close()

    response = await whole.get("/readyz")

    assert response.status_code == 503
    assert response.json()["code"] == "migrations_pending"


async def test_a_service_behind_its_database_is_ready_e2(
    whole: httpx.AsyncClient, database_url: str
) -> None:
    """Old replicas serve on when newer code has migrated, and after a rollback."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()

    assert (await whole.get("/readyz")).status_code == 200


async def end_other_sessions(connection: asyncpg.Connection) -> None:
    """A session keeps the defaults with which it began; the service may have some in its pools."""
    await connection.execute(END_OTHER_SESSIONS)


async def becomes(client: httpx.AsyncClient, status: int, detail: str) -> httpx.Response:
    """Return what /readyz answers once a session that was ended is no more its reason."""
    responses: list[httpx.Response] = []

    async def is_so() -> bool:
        responses.append(await client.get("/readyz"))
        return (responses[-1].status_code, responses[-1].json().get("detail")) == (status, detail)

    await until(is_so)
    return responses[-1]


@pytest.mark.parametrize(
    ("spoils", "said"),
    [
        (
            "ALTER DATABASE {database} SET default_transaction_read_only = on",
            "The database only reads now.",
        ),
        ("ALTER TABLE leases RENAME TO gone", "The database refuses to write."),
        (
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'no transaction works here'; END $$;"
            "CREATE TRIGGER no BEFORE UPDATE ON leases EXECUTE FUNCTION no()",
            "The database refuses to write.",
        ),
    ],
    ids=["only reads", "another schema", "transactions fail"],
)
async def test_a_service_whose_transactions_cannot_write_is_not_ready_e2(
    whole: httpx.AsyncClient, database_url: str, spoils: str, said: str
) -> None:
    connection = await asyncpg.connect(database_url)
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(spoils.replace("{database}", database))
    await end_other_sessions(connection)
    await connection.close()

    response = await becomes(whole, 503, said)

    assert response.json()["code"] == "service_busy"
    assert int(response.headers["retry-after"]) >= 1


async def test_a_service_is_ready_again_once_its_database_writes_e2(
    whole: httpx.AsyncClient, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    setting = f"ALTER DATABASE {database} SET default_transaction_read_only"
    await connection.execute(f"{setting} = on")
    await end_other_sessions(connection)
    await becomes(whole, 503, "The database only reads now.")

    await connection.execute(f"BEGIN READ WRITE; {setting} = off; COMMIT")
    await connection.close()

    assert (await whole.get("/readyz")).status_code == 200


async def test_asking_for_readiness_leaves_nothing_behind_e2(
    whole: httpx.AsyncClient, database_url: str
) -> None:
    for _ in range(3):
        assert (await whole.get("/readyz")).status_code == 200

    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT xmin, * FROM leases")

    async def nothing_is_open() -> bool:
        """Also not the transaction in which a replica announces itself at its start."""
        return not await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state LIKE 'idle in transaction%'"
        )

    await until(nothing_is_open)
    await connection.close()
    assert rows == []


async def test_without_its_database_a_route_says_busy_or_unknown_but_not_broken(
    cut_off: httpx.AsyncClient,
) -> None:
    response = await cut_off.get(
        "/api/integrations/xero/bindings", headers={"Authorization": f"Bearer xsk_{'a' * 43}"}
    )

    assert response.status_code in {401, 503}


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_count_requests_by_route(whole: httpx.AsyncClient) -> None:
    await whole.get("/healthz")
    await whole.get("/nothing-here/canary7Qz?x=canary7Qz")

    text = (await whole.get("/metrics")).text

    counted = samples(text)
    name = "xero_service_http_requests_total"
    assert counted[name, ("GET", "/healthz", "200")] == 1
    assert counted[name, ("GET", "unmatched", "404")] == 1
    assert "canary7Qz" not in text


async def test_callers_cannot_grow_the_metrics(whole: httpx.AsyncClient) -> None:
    for number in range(20):
        await whole.request(f"METHOD{number}", f"/path{number}")

    counted = samples((await whole.get("/metrics")).text)

    assert counted["xero_service_http_requests_total", ("other", "unmatched", "404")] == 20


async def test_an_unexpected_error_is_counted_as_500(
    app: FastAPI, http: httpx.AsyncClient, raising: Raising
) -> None:
    await http.get(raising(RuntimeError()))

    middleware = next(each for each in app.user_middleware if "metrics" in each.kwargs)
    metrics = middleware.kwargs["metrics"]
    assert isinstance(metrics, Metrics)
    assert 'status="500"' in metrics.render().decode()


async def test_the_openapi_document_is_served(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()

    assert document["openapi"].startswith("3.1")
    assert "/api/integrations/xero/bindings" in document["paths"]


async def test_every_failure_in_the_document_is_a_problem_or_an_operations_answer(
    http: httpx.AsyncClient,
) -> None:
    document = (await http.get("/openapi.json")).json()

    kinds = {
        (path, status): set(answer.get("content", {}))
        for path, operations in document["paths"].items()
        if path.startswith("/api/")
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if status.isdecimal()
        and int(status) >= 400
        # Xero wants its 401 empty (facts §9).
        and (path, status) != ("/api/integrations/xero/webhooks/xero", "401")
    }
    assert kinds
    assert {
        name: kind
        for name, kind in kinds.items()
        # Through the proxy Xero's own failures come, too.
        if kind - ({"*/*"} if "{path}" in name[0] else set()) != {"application/problem+json"}
    } == {}


@pytest.fixture
async def page(http: httpx.AsyncClient) -> httpx.Response:
    return await http.get("/docs")


async def test_the_documentation_page_is_served(page: httpx.Response) -> None:
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


async def test_its_assets_come_from_the_service_itself(
    http: httpx.AsyncClient, page: httpx.Response
) -> None:
    """S46: nothing is loaded from anywhere else."""
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    answers = [await http.get(asset) for asset in assets]

    assert len(assets) >= 3
    assert all(asset.startswith("/") for asset in assets)
    assert [answer.status_code for answer in answers] == [200] * len(assets)


async def test_it_works_under_a_policy_without_inline_scripts(page: httpx.Response) -> None:
    """S46."""
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in page.headers["content-security-policy"].split(";")
    )

    assert policy["script-src"] == "'self'"
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
    assert re.findall(r"\bon\w+=|javascript:", page.text) == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"])
async def test_what_can_be_got_can_be_asked_about(application: Application, path: str) -> None:
    """C10: probes send HEAD; over a real server, which sends no body then."""
    async with served(application.app) as address, httpx.AsyncClient(trust_env=False) as client:
        head, got = await client.head(address + path), await client.get(address + path)

    assert (head.status_code, head.content) == (200, b"")
    assert got.content != b""
    assert head.headers["content-type"] == got.headers["content-type"]
