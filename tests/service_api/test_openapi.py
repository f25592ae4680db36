"""The OpenAPI document reads like documentation, and every operation in it is guarded."""

import re
from typing import Any

import pytest

from tests.service_api.callers import client_of, problem
from tests.world import Application
from xero_service.api.openapi import OF_EVERY_OPERATION
from xero_service.app import assemble

UNKNOWN = "7d0f3c1e-93c5-4a39-8f2b-0c4a6a3d5a10"
PUBLIC = {"/healthz", "/readyz", "/metrics", "/api/integrations/xero/callback"}
# Asks for a signature, and its 401 is as bare as Xero demands (S59).
PUBLIC.add("/api/integrations/xero/webhooks/xero")
# Its caller has nothing but the signed link in a mail (S65).
PUBLIC.add("/api/integrations/xero/notices/unsubscribe")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return assemble().openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def codes(operation: dict[str, Any]) -> set[str]:
    found = set()
    for answer in operation["responses"].values():
        schema = answer.get("content", {}).get("application/problem+json", {}).get("schema", {})
        for part in schema.get("allOf", []):
            found.update(part.get("properties", {}).get("code", {}).get("enum", []))
    return found


async def test_every_operation_but_the_public_ones_asks_who_is_calling(
    application: Application, document: dict[str, Any]
) -> None:
    """S1."""
    asked = []
    async with client_of(application) as client:
        for method, path, _ in operations(document):
            if path in PUBLIC:
                continue
            filled = path.replace("{bindingId}", UNKNOWN).replace("{path}", "api.xro/2.0/Contacts")
            for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer x"}):
                response = await client.request(method, filled, headers=headers)
                assert problem(response) == (401, "unauthorized"), (method, path)
                assert response.headers["www-authenticate"] == "Bearer"
            asked.append(path)

    assert len(asked) > 10


def test_operations_have_a_name_a_summary_a_description_and_a_known_tag(
    document: dict[str, Any],
) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-zA-Z]+", name) for name in names)
    assert all(tags.values())
    for _, path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= set(tags), path


def test_every_code_that_an_operation_can_answer_is_in_the_one_table(
    document: dict[str, Any],
) -> None:
    """B4: and what is refused before an operation is known."""
    table = document["info"]["description"]
    listed = set(re.findall(r"^\| \d+ \| `(\w+)` \| .+ \| .+ \| .+ \|$", table, re.MULTILINE))
    declared = set().union(*(codes(operation) for _, _, operation in operations(document)))

    assert listed == declared | {error.code for error in OF_EVERY_OPERATION}
    assert {"head_too_large", "malformed_request", "request_timeout"} <= listed
    assert "reauthorization_required" in listed
    assert re.search(r"`xero_unavailable` .* after `Retry-After`", table)


def test_whatever_takes_a_body_says_that_it_can_be_too_large(document: dict[str, Any]) -> None:
    taking = [each for _, _, each in operations(document) if "requestBody" in each]

    assert taking
    assert all("body_too_large" in codes(operation) for operation in taking)


def test_what_services_send_and_get_has_examples(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    for name, fields in {
        "IssuedToken": ["accessToken"],
        "TokenRequest": ["minValiditySeconds"],
        "Binding": ["tenantId", "tenantName"],
        "Limits": ["dayRemaining", "minuteRemaining"],
        "Problem": ["code", "detail", "requestId"],
    }.items():
        for each in fields:
            assert schemas[name]["properties"][each]["examples"], (name, each)
