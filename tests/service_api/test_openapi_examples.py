"""C17: the API document describes every field and shows an example of everything, of its own kind.

Whether the examples do what they say is tried against a demo: test_documented_examples.py.
"""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from xero_sandbox import api_examples
from xero_sandbox.app import create_app
from xero_sandbox.config import SandboxConfig
from xero_service.app import assemble
from xero_service.errors import FlowError, IntegrationError

PROBLEM = "application/problem+json"
WITHOUT_BODY = {"receiveXeroWebhook"}  # as Xero demands
NOISE = re.compile(r"\b(noise|string|foo|bar|test|lorem)\b")
Operation = tuple[str, dict[str, Any]]
Requirement = dict[str, list[str]]


@pytest.fixture(scope="module", params=["service", "sandbox"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    app = assemble() if request.param == "service" else create_app(SandboxConfig())
    return app.openapi()


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    return assemble().openapi()


def operations(document: dict[str, Any]) -> list[Operation]:
    return [
        (operation["operationId"], operation)
        for methods in document["paths"].values()
        for operation in methods.values()
    ]


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body that an operation takes or gives: whose it is, its media type, its content."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media, content
    for status, answer in operation["responses"].items():
        for media, content in answer.get("content", {}).items():
            yield status, media, content


def shown(content: dict[str, Any]) -> list[Any]:
    return [each["value"] for each in content.get("examples", {}).values()]


def everything(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from everything(each)


def test_every_operation_has_a_summary_in_words(document: dict[str, Any]) -> None:
    names = {name: operation["summary"] for name, operation in operations(document)}

    too_short = {name for name, summary in names.items() if len(summary.split()) < 3}
    assert too_short == set()
    assert len(set(names.values())) == len(names)
    for name, operation in operations(document):
        assert len(operation["description"].split()) > 2, name


def test_every_operation_of_the_sandbox_is_shown() -> None:
    """One that is added needs a summary and an example in `api_examples`."""
    documented = {
        f"{method.upper()} {path}"
        for path, methods in create_app(SandboxConfig()).openapi()["paths"].items()
        for method in methods
    }

    assert documented == set(api_examples.OPERATIONS)


def test_every_field_is_described(document: dict[str, Any]) -> None:
    missing = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]

    assert missing == []
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name


def test_every_parameter_and_header_is_described_and_shown(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (name, parameter["name"])
            assert "example" in parameter, (name, parameter["name"])
            jsonschema.validate(parameter["example"], parameter["schema"] | document)
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            for header, described in answer.get("headers", {}).items():
                assert described["description"], (name, status, header)
                assert described["schema"], (name, status, header)
                jsonschema.validate(described["example"], described["schema"])


def test_every_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        found = list(bodies(operation))
        for whose, media, content in found:
            assert shown(content), (name, whose, media)
            for value in shown(content):
                jsonschema.validate(
                    value,
                    content["schema"] | {"components": document["components"]},
                    format_checker=jsonschema.FormatChecker(),
                )


def test_every_operation_shows_how_it_succeeds(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        succeeding = {
            status: answer
            for status, answer in operation["responses"].items()
            if status.isdecimal() and int(status) < 400
        }
        assert succeeding, name
        for status, answer in succeeding.items():
            has_nothing = status in {"204", "302", "303"} or name in WITHOUT_BODY
            content = answer.get("content", {})
            assert has_nothing is not any(map(shown, content.values())), (name, status)
            is_redirect = status in {"302", "303"}
            assert not is_redirect or "Location" in answer["headers"], name


def test_every_problem_has_an_example_of_its_own_status_and_code(
    service: dict[str, Any],
) -> None:
    """No example shows the status or the code of another answer, and no code is without one."""
    known = {error.code: error for error in errors(IntegrationError)}
    seen = 0
    for name, operation in operations(service):
        for status, media, content in bodies(operation):
            if media != PROBLEM:
                continue
            narrowed = content["schema"]["allOf"][1]["properties"]
            assert narrowed["status"] == {"const": int(status)}
            assert set(content["examples"]) == set(narrowed["code"]["enum"]), (name, status)
            for code, example in content["examples"].items():
                value = example["value"]
                assert (value["status"], value["code"]) == (int(status), code)
                assert value["type"] == f"urn:xero-service:problem:{code}"
                assert value["title"] == example["summary"] == known[code].title
                assert known[code].status == int(status)
                assert value["detail"].endswith((".", "…", value["title"]))
                seen += 1
    assert seen > 100


def test_problems_name_the_headers_by_which_a_caller_decides(service: dict[str, Any]) -> None:
    for name, operation in operations(service):
        for status, answer in operation["responses"].items():
            headers = answer.get("headers", {})
            assert "X-Request-Id" in headers, (name, status)
            if PROBLEM not in answer.get("content", {}):
                continue
            assert ("WWW-Authenticate" in headers) is (status == "401"), (name, status)
            assert ("Retry-After" in headers) is (status in {"429", "503", "504"}), (name, status)
            assert ("X-Rate-Limit-Problem" in headers) is (status == "429"), (name, status)


def test_what_one_may_repeat_says_after_how_many_seconds(service: dict[str, Any]) -> None:
    for name, operation in operations(service):
        for status, media, content in bodies(operation):
            if media == PROBLEM:
                for example in content["examples"].values():
                    repeats = "Retry-After: " in example.get("description", "")
                    assert repeats is (status in {"429", "503", "504"}), (name, status)


def test_no_example_is_noise(document: dict[str, Any]) -> None:
    for node in everything(document):
        for value in [*node.get("examples", []), node.get("example")]:
            assert not (isinstance(value, str) and NOISE.search(value)), value


def test_the_document_holds_no_schema_that_nothing_uses(document: dict[str, Any]) -> None:
    """The framework's own description of a refused body is never answered."""
    used = {
        node["$ref"].rpartition("/")[2]
        for node in everything(document)
        if isinstance(node.get("$ref"), str)
    }

    assert set(document["components"]["schemas"]) == used


def test_every_operation_asks_for_what_it_reads(service: dict[str, Any]) -> None:
    """The security of an operation is who may call it: people, services, both, or anybody."""
    session: Requirement = {"session": []}
    key: Requirement = {"serviceKey": []}
    cookie: Requirement = {"sessionCookie": []}
    expected: dict[str, list[Requirement] | None] = {
        "health": None,
        "readiness": None,
        "metrics": None,
        "startConnection": [session, cookie],
        "finishConnection": [cookie, {}],  # a session that has ended is no hindrance
        "listTenants": [session],
        "selectTenant": [session],
        "issueToken": [key],
        "listEvents": [key],
        "receiveXeroWebhook": None,  # a signature, which OpenAPI cannot describe
        "askToUnsubscribe": None,  # the token in the link
        "unsubscribe": None,
    }

    for name, operation in operations(service):
        wanted = [key] if name.startswith("callXero") else expected.get(name, [session, key])
        assert operation.get("security") == wanted, name


def test_a_link_leads_from_an_example_to_an_operation(service: dict[str, Any]) -> None:
    """What one operation answers another takes: the field is there, and so is the parameter."""
    found = 0
    by_name = dict(operations(service))
    for name, operation in by_name.items():
        for status, answer in operation["responses"].items():
            for each, link in answer.get("links", {}).items():
                target = by_name[link["operationId"]]
                taken = {parameter["name"] for parameter in target.get("parameters", [])}
                assert set(link.get("parameters", {})) <= taken, (name, each)
                (example,) = answer["content"]["application/json"]["examples"].values()
                given = [*link.get("parameters", {}).values()]
                given += link.get("requestBody", {}).values()
                for expression in given:
                    value = example["value"]
                    for step in expression.removeprefix("$response.body#/").split("/"):
                        value = value[int(step) if step.isdecimal() else step]
                    assert value, (name, status, expression)
                    found += 1
    assert found > 4


def errors(base: type[IntegrationError]) -> Iterator[type[IntegrationError]]:
    for kind in base.__subclasses__():
        if not issubclass(kind, FlowError):
            yield from errors(kind)
    yield base
