"""C17: the examples of the API document, sent to a demo, are answered as documented.

Ids that a run makes (of the grant, of the binding) take the place of those of the document;
nothing else does. What an answer may be, in status, media type, headers and shape, is taken from
the document.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jsonschema
import pytest

from demo import stack
from demo.environment import SCOPES_FOR_THE_EXAMPLES, without_service_variables
from tests.world import ACME, ACME_ADMIN
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING
from xero_service.api import examples
from xero_service.domain import Scope

Example = tuple[str, Any]
PROBLEM = "application/problem+json"
# What the sandbox has no such record of; Xero's answer passes through.
PASSED_ON = {"callXeroPatch": 404, "callXeroDelete": 404}


@dataclass(frozen=True)
class Answered:
    """An answer, and what the document says of its status."""

    response: httpx.Response
    documented: dict[str, Any]

    @property
    def status(self) -> int:
        return self.response.status_code


@dataclass
class Reader:
    """Somebody who tries what the document shows."""

    http: httpx.Client
    document: dict[str, Any]
    sandbox: SandboxClient
    key: str
    ids: dict[str, str] = field(default_factory=dict)

    def operation(self, name: str) -> tuple[str, str, dict[str, Any]]:
        (found,) = (
            (method, path, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            if operation["operationId"] == name
        )
        return found

    def bodies(self, name: str) -> list[Any]:
        """What an operation can be sent, as the document shows it; None where it takes nothing."""
        _, _, operation = self.operation(name)
        content = operation.get("requestBody", {}).get("content", {})
        shown = content.get("application/json", {}).get("examples", {})
        return [each["value"] for each in shown.values()] or [None]

    def live(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.live(each) for name, each in value.items()}
        return self.ids.get(value, value) if isinstance(value, str) else value

    def authorization(self, operation: dict[str, Any]) -> dict[str, str]:
        schemes = [name for each in operation.get("security", []) for name in each]
        if "session" in schemes:
            origin = str(self.http.base_url)
            token = self.sandbox.session_token(ACME_ADMIN, ACME, azp=origin)
            return {"Authorization": f"Bearer {token}"}
        return {"Authorization": f"Bearer {self.key}"} if "serviceKey" in schemes else {}

    def sends(self, name: str, body: Any = None, **headers: str) -> Answered:
        """Send an example with the parameters that the document shows, and check the answer."""
        method, path, operation = self.operation(name)
        query: dict[str, Any] = {}
        sent = self.authorization(operation) | headers
        for parameter in operation.get("parameters", []):
            value = self.live(parameter["example"])
            if value == examples.BINDING and not parameter["required"]:
                continue  # no binding was made yet
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", value)
            elif parameter["in"] == "query":
                query[parameter["name"]] = value
            else:
                sent[parameter["name"]] = value
        response = self.http.request(
            method,
            path,
            params=query,
            headers={name: value for name, value in sent.items() if value},
            json=self.live(body),
        )
        return self.checked(name, response)

    def checked(self, name: str, response: httpx.Response) -> Answered:
        _, _, operation = self.operation(name)
        answers = operation["responses"]
        status = str(response.status_code)
        assert status in answers or "default" in answers, (name, status, response.text)
        documented = answers.get(status, answers.get("default"))
        assert "x-request-id" in response.headers
        media = response.headers.get("content-type", "").partition(";")[0]
        content = documented.get("content", {})
        if content:
            assert media in content or "*/*" in content, (name, status, media)
            chosen = content.get(media, content.get("*/*"))
            shape = chosen["schema"] | {"components": self.document["components"]}
            body = response.text if media == "text/plain" else response.json()
            jsonschema.validate(body, shape, format_checker=jsonschema.FormatChecker())
        return Answered(response, documented)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader with the demo running and one organisation connected, by the document's examples."""
    ambient = without_service_variables(os.environ) | {"XERO_SCOPES": SCOPES_FOR_THE_EXAMPLES}
    with (
        stack.running(tmp_path_factory.mktemp("stack"), ambient=ambient) as started,
        SandboxClient(started.sandbox) as sandbox,
        httpx.Client(base_url=started.origin, trust_env=False, timeout=30) as http,
    ):
        scopes = [word for scope in Scope for word in ("--scope", scope.value)]
        key = started.command("keys", "create", "--name", "docs", "--org", ACME, *scopes)
        document = http.get("/openapi.json").json()
        reader = Reader(http, document, sandbox, key.strip().splitlines()[-1])
        connect(reader)
        yield reader


def connect(reader: Reader) -> None:
    """Walk the flow: what the callback takes comes from Xero, so it cannot be sent blindly."""
    reader.ids.pop(examples.BINDING, None)  # none that has not ended
    begun = reader.sends("startConnection")
    assert begun.status == 200
    back = urlsplit(
        reader.sandbox.consent(
            begun.response.json()["authorizationUrl"],
            ACME_BOOKKEEPER.xero_user_id,
            [ACME_TRADING],
        )
    )
    given = {name: values[0] for name, values in parse_qs(back.query).items()}
    _, path, operation = reader.operation("finishConnection")
    assert set(given) - {"scope", "session_state"} <= {
        each["name"] for each in operation["parameters"]
    }
    landed = reader.checked("finishConnection", reader.http.get(path, params=given))
    assert landed.status == 303
    address = landed.response.headers["location"]
    reader.ids[examples.GRANT] = parse_qs(urlsplit(address).query)["grantId"][0]
    (selection,) = reader.bodies("selectTenant")
    chosen = reader.sends("selectTenant", selection)
    assert chosen.status in {200, 201}, chosen.response.text
    reader.ids[examples.BINDING] = chosen.response.json()["id"]


def test_a_browser_is_sent_to_xero_and_keeps_the_flow_cookie(reader: Reader) -> None:
    answer = reader.sends("startConnection", Accept="text/html")

    assert answer.status == 302
    assert {"Location", "Set-Cookie"} <= set(answer.documented["headers"])
    assert {"location", "set-cookie"} <= set(answer.response.headers)


def test_a_callback_that_nobody_started_lands_on_the_frontend(reader: Reader) -> None:
    answer = reader.sends("finishConnection")

    assert answer.status == 303
    assert "error=" in answer.response.headers["location"]


def test_choosing_again_answers_with_the_same_binding(reader: Reader) -> None:
    (selection,) = reader.bodies("selectTenant")

    answer = reader.sends("selectTenant", selection)

    assert (answer.status, answer.response.json()["id"]) == (200, reader.ids[examples.BINDING])


@pytest.mark.parametrize(
    "name",
    [
        "health",
        "readiness",
        "metrics",
        "listBindings",
        "listTenants",
        "listActivity",
        "listEvents",
        "refreshTokens",
        "issueToken",
        "callXeroGet",
        "callXeroPost",
        "callXeroPut",
        "callXeroPatch",
        "callXeroDelete",
    ],
)
def test_an_example_is_answered_as_documented(reader: Reader, name: str) -> None:
    accept = {"Accept": "application/json"} if name.startswith("callXero") else {}

    for body in reader.bodies(name):
        answer = reader.sends(name, body, **accept)

        assert answer.status == PASSED_ON.get(name, 200), answer.response.text


def test_the_examples_show_the_people_and_organisations_of_the_demo(reader: Reader) -> None:
    """What differs between an answer and its example was made by the run."""
    _, _, operation = reader.operation("listBindings")
    shown = operation["responses"]["200"]["content"]["application/json"]["examples"]

    (binding,) = reader.sends("listBindings").response.json()["bindings"]
    (example,) = shown["usual"]["value"]["bindings"]

    for same in ("tenantId", "tenantName", "tenantType", "status", "connectedBy"):
        assert binding[same] == example[same]
    assert set(binding) == set(example)


def test_who_says_nothing_of_themselves_gets_the_problem_that_is_shown(reader: Reader) -> None:
    tried = 0
    for path, methods in reader.document["paths"].items():
        for method, operation in methods.items():
            if not operation["responses"].get("401", {}).get("content"):
                continue
            filled = path.replace("{bindingId}", reader.ids[examples.BINDING])
            response = reader.http.request(method, filled.replace("{path}", "api.xro/2.0/Contacts"))
            checked = reader.checked(operation["operationId"], response)
            shown = checked.documented["content"][PROBLEM]["examples"]["unauthorized"]["value"]
            assert response.json() | {"requestId": None} == shown | {"requestId": None}
            tried += 1
    assert tried > 10


def test_an_example_ends_the_binding_as_documented(reader: Reader) -> None:
    (body,) = reader.bodies("disconnectBinding")

    answer = reader.sends("disconnectBinding", body)

    ended = answer.response.json()
    assert (ended["binding"]["status"], ended["remoteCleanup"]) == ("revoked", "done")
    connect(reader)  # for whichever test comes next


def test_no_operation_is_left_out(reader: Reader) -> None:
    """An operation that is added is tried here, or this says so."""
    tried = {"startConnection", "finishConnection", "selectTenant", "disconnectBinding"}
    # What they are sent is signed: tests/xero_webhooks, tests/notices.
    signed = {"receiveXeroWebhook", "askToUnsubscribe", "unsubscribe"}
    (marker,) = (
        each
        for each in test_an_example_is_answered_as_documented.pytestmark  # type: ignore[attr-defined]
        if each.name == "parametrize"
    )

    documented = {
        operation["operationId"]
        for methods in reader.document["paths"].values()
        for operation in methods.values()
    }

    assert documented == tried | signed | set(marker.args[1])
