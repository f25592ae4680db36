"""The sandbox's pages and its API document: complete without any other host (C17)."""

import re
from typing import Any

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


def test_the_examples_of_control_and_sessions_are_answered_as_shown(http: httpx.Client) -> None:
    """C17: each is sent as the document shows it; only ids that a run makes are its own."""
    document = http.get("/openapi.json").json()
    signed_in = http.post("/session/sign-in", json={"personId": "user_acme_admin"}).json()
    arranged = http.post("/control/faults", json={"kind": "revocation", "fault": "503"}).json()
    made = {"sess_5f0c6e1d2b7a4983": signed_in["sessionId"], 1: arranged["id"]}
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        # Resetting a demo company needs one, and the sample organisation is none.
        if path.startswith(("/control", "/session")) and not path.endswith("/reset-demo")
    ]
    # What removes or resets comes last: the others need what is there.
    operations.sort(key=lambda each: each[0] == "delete" or each[1].endswith("/reset"))
    for method, path, operation in operations:
        sent = {
            place: {
                each["name"]: made.get(each["example"], each["example"])
                for each in operation.get("parameters", [])
                if each["in"] == place
            }
            for place in ("path", "query", "header")
        }
        body = usual(operation.get("requestBody", {}))
        if isinstance(body, dict):
            body = {name: made.get(str(value), value) for name, value in body.items()}

        answer = http.request(
            method,
            path.format(**sent["path"]),
            params=sent["query"],
            headers=sent["header"],
            json=body,
        )

        (status,) = (each for each in operation["responses"] if each.startswith("2"))
        assert str(answer.status_code) == status, (method, path, answer.text)
        example = usual(operation["responses"][status])
        if example is not None:
            given, example = alike(answer.json()), alike(example)
            refused = path == "/control/consent"  # the document's address is of no attempt
            assert refused or not given or example <= given, (method, path)
    assert len(operations) > 20


def usual(body: dict[str, Any]) -> Any:
    content = body.get("content", {}).get("application/json", {})
    return content["examples"]["usual"]["value"] if content else None


def alike(value: Any) -> set[str]:
    """The fields of a document, or of the first of several."""
    while isinstance(value, list):
        value = value[0] if value else {}
    return set(value)
