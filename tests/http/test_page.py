"""The page from the service's own origin: its files, and the page at every other path."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.http.conftest import problem
from tests.service_api.callers import raw_exchange, served
from xero_service.app import PREFIX, create_app
from xero_service.settings import Settings

BROTLI = bytes.fromhex("0b04806578706f7274207b7d03")  # export {}
KEPT = "public, max-age=31536000, immutable"


@pytest.fixture
async def page(alone: Settings, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service with a page that was built: one hashed file."""
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("the page")
    (built / "assets" / "index-4f3a.js").write_text("export {}")
    (built / "assets" / "index-4f3a.js.gz").write_bytes(gzip.compress(b"export {}"))
    (built / "assets" / "index-4f3a.js.br").write_bytes(BROTLI)
    (built / "index.html.gz").write_bytes(gzip.compress(b"the page"))
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
    "path",
    [
        "/assets/index-0000.js",
        "/assets/",
        "/assets/a/b.js",
        "/api/nothing",
        f"{PREFIX}/nothing",
        "/assets/index-4f3a.js.br",
        "/assets/index-4f3a.js.gz",
        "/index.html.gz",
    ],
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
        "/assets/../index.html.gz",
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


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP;q=1.0, br;q=0.1", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.000,gzip;q=0", None),
        ("brotli, xgzip", None),
        ("identity", None),
        ("", None),
    ],
)
async def test_a_file_is_sent_in_the_smallest_encoding_that_the_browser_takes(
    page: httpx.AsyncClient, accepted: str, encoding: str | None
) -> None:
    """C16: as the build compressed it, under a name that is kept for good."""
    headers = {"Accept-Encoding": accepted}
    async with page.stream("GET", "/assets/index-4f3a.js", headers=headers) as answer:
        sent = b"".join([part async for part in answer.aiter_raw()])

    plain = {"br": BROTLI, None: b"export {}"}
    assert answer.headers.get("content-encoding") == encoding
    assert sent == plain[encoding] if encoding != "gzip" else gzip.decompress(sent) == b"export {}"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-length"] == str(len(sent))
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.headers["cache-control"] == KEPT


async def test_the_page_itself_is_compressed_and_asked_for_anew(page: httpx.AsyncClient) -> None:
    """C16: at every path; what no build compressed is sent as it is."""
    gzipped = await page.get("/settings", headers={"Accept-Encoding": "br, gzip"})
    plain = await page.get("/", headers={"Accept-Encoding": "br"})
    known = {"If-None-Match": gzipped.headers["etag"], "Accept-Encoding": "br, gzip"}
    same = await page.get("/settings", headers=known)

    assert (gzipped.text, gzipped.headers["content-encoding"]) == ("the page", "gzip")
    assert (plain.text, plain.headers.get("content-encoding")) == ("the page", None)
    assert gzipped.headers["content-type"].startswith("text/html")
    assert gzipped.headers["etag"] != plain.headers["etag"]
    for answer in (gzipped, plain, same):
        assert "Accept-Encoding" in answer.headers["vary"]
        assert answer.headers["cache-control"] == "no-cache"
    assert same.status_code == 304


async def test_head_and_ranges_speak_of_the_encoding_that_is_sent(page: httpx.AsyncClient) -> None:
    """C16."""
    asked = {"Accept-Encoding": "br"}
    head = await page.head("/assets/index-4f3a.js", headers=asked)
    part = page.stream("GET", "/assets/index-4f3a.js", headers={**asked, "Range": "bytes=2-5"})
    async with part as ranged:
        sent = b"".join([piece async for piece in ranged.aiter_raw()])

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(BROTLI))
    assert head.headers["content-encoding"] == ranged.headers["content-encoding"] == "br"
    assert (ranged.status_code, sent) == (206, BROTLI[2:6])
    assert ranged.headers["content-range"] == f"bytes 2-5/{len(BROTLI)}"
    assert ranged.headers["etag"] == head.headers["etag"]


@pytest.mark.parametrize("path", ["/disconnect", "/tenants/select", "/refresh"])
async def test_a_path_that_takes_other_methods_says_so(page: httpx.AsyncClient, path: str) -> None:
    """C14: with a page as without."""
    answer = await page.get(PREFIX + path)

    assert problem(answer)["code"] == "method_not_allowed"
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_page_cannot_be_posted_to_and_an_unknown_path_of_the_api_is_unknown(
    page: httpx.AsyncClient,
) -> None:
    """C14: to every method."""
    posted = await page.post("/settings")

    assert problem(posted)["status"] == 405
    assert set(posted.headers["allow"].split(", ")) == {"GET", "HEAD"}
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        assert (await page.request(method, f"{PREFIX}/nothing")).status_code == 404
