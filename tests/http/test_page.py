"""The page from the service's own origin: files as they are, the page at every other path."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.http.conftest import problem
from tests.internal.callers import raw_exchange, served
from xero_service.app import create_app
from xero_service.settings import Settings

KEPT = "public, max-age=31536000, immutable"


@pytest.fixture
async def page(alone: Settings, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service with a page that was built: one hashed file."""
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("the page")
    (built / "assets" / "index-4f3a.js").write_text("export {}")
    (tmp_path / "secret.txt").write_text("secret")
    app = create_app(alone.model_copy(update={"spa_dir": built}), upkeep=False)
    async with (
        served(app) as address,
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
    ):
        yield client


async def test_every_path_is_the_page_and_hashed_files_are_kept(page: httpx.AsyncClient) -> None:
    for path in ("/", "/settings/integrations", "/assets", "/%00"):
        answer = await page.get(path)
        assert (answer.text, answer.headers["cache-control"]) == ("the page", "no-cache")

    found = await page.get("/assets/index-4f3a.js")
    known = await page.get(
        "/assets/index-4f3a.js", headers={"If-None-Match": found.headers["etag"]}
    )

    assert (found.text, found.headers["cache-control"]) == ("export {}", KEPT)
    assert (known.status_code, known.headers["cache-control"]) == (304, KEPT)


@pytest.mark.parametrize(
    "path", ["/assets/index-0000.js", "/assets/", "/assets/a/b.js", "/api/nothing"]
)
async def test_what_is_not_there_is_a_problem_that_nobody_keeps(
    page: httpx.AsyncClient, path: str
) -> None:
    """S46: during a rollout a page asks for files of the next one."""
    assert problem(await page.get(path))["status"] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/%2E/index-4f3a.js",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/%00.js",
    ],
)
async def test_no_other_file_is_kept_under_the_name_of_a_hashed_one(
    page: httpx.AsyncClient, path: str
) -> None:
    """S46, S47."""
    status, answer = await raw_exchange(str(page.base_url), [f"GET {path} HTTP/1.1", "Host: x"])

    assert status == 404
    assert b"immutable" not in answer
    assert b"secret" not in answer
