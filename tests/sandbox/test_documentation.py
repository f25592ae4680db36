"""The sandbox's pages and its API document: complete without any other host (C17)."""

import re

import httpx
import pytest


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_a_page_loads_everything_it_shows_from_the_sandbox_itself(
    http: httpx.Client, page: str
) -> None:
    """C17: `/docs` was blank where the machine has no other network."""
    shown = http.get(page)
    loaded = re.findall(
        r'<(?:script|img|iframe)[^>]*\bsrc="([^"]+)"|<link[^>]*\bhref="([^"]+)"', shown.text
    )
    addresses = [first or second for first, second in loaded]
    addresses += re.findall(r"\burl: '([^']+)'", shown.text)

    answers = [http.get(address) for address in addresses if address.startswith("/")]

    assert shown.status_code == 200
    assert [each for each in addresses if not each.startswith("/")] == []
    assert {answer.status_code for answer in answers} <= {200}
    assert not re.search(r"url\(|@import|https?://(?!localhost)", shown.text)


def test_the_documentation_page_shows_the_document_of_the_sandbox(http: httpx.Client) -> None:
    """C17."""
    page = http.get("/docs").text

    assert "url: '/openapi.json'" in page
    assert "swagger-ui-bundle.js" in page
    assert http.get("/openapi.json").json()["info"]["title"] == "Xero sandbox"


def test_no_second_documentation_page_needs_another_host(http: httpx.Client) -> None:
    """C17: the framework's other page, `/redoc`, loads its script from elsewhere."""
    assert http.get("/redoc").status_code == 404
