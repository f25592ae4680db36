"""Every failure is a problem (RFC 9457) that names a remedy and repeats no input."""

import re
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from starlette.exceptions import HTTPException

from tests.http.conftest import Raising, problem
from xero_service.api import proxy
from xero_service.app import PREFIX
from xero_service.errors import (
    AuthError,
    ExternalAPIError,
    IntegrationError,
    RateLimitError,
    ServiceBusy,
)

CANARY = "canary7Qz"


def tree(root: type[IntegrationError] = IntegrationError) -> Iterator[type[IntegrationError]]:
    """Walk the error tree, each class once."""
    yield root
    for branch in root.__subclasses__():
        yield from tree(branch)


ERRORS = sorted(set(tree()), key=lambda error: error.__name__)
BY_NAME = [error.__name__ for error in ERRORS]


@pytest.mark.parametrize("kind", ERRORS, ids=BY_NAME)
async def test_every_error_is_a_problem(
    http: httpx.AsyncClient, raising: Raising, kind: type[IntegrationError]
) -> None:
    said = problem(await http.get(raising(kind("What the caller should know."))))

    assert (said["status"], said["code"], said["title"]) == (kind.status, kind.code, kind.title)
    assert said["detail"] == "What the caller should know."


@pytest.mark.parametrize("kind", ERRORS, ids=BY_NAME)
def test_every_error_is_a_documented_row(kind: type[IntegrationError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert kind.title.strip()
    assert not kind.title.endswith(".")
    assert kind.status == 303 or 400 <= kind.status <= 504
    assert kind.__doc__


def test_a_code_comes_with_one_status() -> None:
    """Callers decide by the code."""
    statuses: dict[str, set[int]] = {}
    for kind in ERRORS:
        statuses.setdefault(kind.code, set()).add(kind.status)

    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ServiceBusy(), "2"),
        (ExternalAPIError(), "5"),
        (RateLimitError(retry_after=66975), "66975"),
        (ServiceBusy(retry_after=0), "1"),
        (ServiceBusy(retry_after=-3), "1"),
    ],
)
async def test_where_time_helps_the_caller_is_told_how_much(
    http: httpx.AsyncClient, raising: Raising, error: IntegrationError, seconds: str
) -> None:
    response = await http.get(raising(error))

    assert response.headers["retry-after"] == seconds


async def test_where_time_does_not_help_nothing_is_said(
    http: httpx.AsyncClient, raising: Raising
) -> None:
    response = await http.get(raising(IntegrationError()))

    assert "retry-after" not in response.headers


@pytest.mark.parametrize(
    "kind", [kind for kind in ERRORS if kind.status == 401], ids=lambda kind: kind.__name__
)
async def test_a_401_names_the_way_to_prove_oneself(
    http: httpx.AsyncClient, raising: Raising, kind: type[IntegrationError]
) -> None:
    """S1."""
    response = await http.get(raising(kind()))

    assert response.headers["www-authenticate"] == "Bearer"


async def test_a_403_does_not(http: httpx.AsyncClient, raising: Raising) -> None:
    kind = next(kind for kind in ERRORS if issubclass(kind, AuthError) and kind.status == 403)

    response = await http.get(raising(kind()))

    assert "www-authenticate" not in response.headers


@pytest.mark.parametrize("path", ["/nothing-here", "/api/integrations/xero/nothing", "/docs/no"])
async def test_an_unknown_path_is_a_problem(http: httpx.AsyncClient, path: str) -> None:
    assert problem(await http.get(path))["code"] == "not_found"


async def test_a_method_that_a_path_does_not_have_is_a_problem(http: httpx.AsyncClient) -> None:
    response = await http.delete("/healthz")

    assert problem(response)["code"] == "method_not_allowed"
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/notices/unsubscribe", {"GET", "POST"}),
        (f"/bindings/{UUID(int=0)}/api/api.xro/2.0/Invoices", set(proxy.METHODS)),
    ],
)
async def test_a_refused_method_names_those_of_every_route_of_the_path(
    http: httpx.AsyncClient, path: str, allowed: set[str]
) -> None:
    """RFC 9110 §10.2.1."""
    response = await http.request("TRACE", PREFIX + path)

    assert problem(response)["code"] == "method_not_allowed"
    assert set(response.headers["allow"].split(", ")) == allowed


async def test_a_refusal_of_the_framework_is_a_problem_without_its_text(
    http: httpx.AsyncClient, raising: Raising
) -> None:
    response = await http.get(raising(HTTPException(413, CANARY)))

    assert problem(response)["status"] == 413
    assert CANARY not in response.text


@pytest.mark.parametrize(
    "error", [RuntimeError(CANARY), KeyError(CANARY), OSError(CANARY), AssertionError(CANARY)]
)
async def test_what_nobody_foresaw_is_a_problem_without_its_text(
    http: httpx.AsyncClient, raising: Raising, error: Exception
) -> None:
    """S47."""
    response = await http.get(raising(error))

    assert problem(response)["code"] == "internal_error"
    assert CANARY not in response.text + repr(response.headers)


async def test_what_nobody_foresaw_carries_the_headers_of_every_answer(
    http: httpx.AsyncClient, raising: Raising
) -> None:
    """S46, S47: or the page could not even read that something went wrong."""
    path = raising(RuntimeError())

    response = await http.get(path, headers={"Origin": "https://app.example.com"})

    assert response.headers["access-control-allow-origin"] == "https://app.example.com"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("offered", ["12345678", "a-b_c.D9", "x" * 64])
async def test_a_callers_request_id_is_kept(http: httpx.AsyncClient, offered: str) -> None:
    response = await http.get("/nothing", headers={"X-Request-Id": offered})

    assert problem(response)["requestId"] == offered


@pytest.mark.parametrize("offered", ["short", "x" * 65, "with space", "<script>", "é" * 8, ""])
async def test_a_request_id_that_is_none_is_replaced(http: httpx.AsyncClient, offered: str) -> None:
    """S48."""
    response = await http.get("/nothing", headers=[(b"X-Request-Id", offered.encode())])

    assert re.fullmatch(r"[0-9a-f]{32}", problem(response)["requestId"])
