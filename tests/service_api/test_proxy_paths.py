"""S34: the proxy accepts only plain paths below Xero's API roots."""

import json
import re

import pytest
from starlette.requests import Request

from tests.service_api.callers import Service, raw_exchange, served
from tests.service_api.conftest import Connected
from tests.service_api.upstream import instead_of_xero
from tests.world import Application
from xero_service.app import PREFIX
from xero_service.errors import ForbiddenPath
from xero_service.services.proxy.paths import validate_target

REFUSED = [
    "",
    "connections",
    "connections/",
    "Connections",
    "connections?x=api.xro/",
    "identity.xro/1.0/Users",
    "api.xro",
    "API.XRO/2.0/Organisation",
    "api.xro%2f2.0/Organisation",
    "api%2exro/2.0/Organisation",
    "/api.xro/2.0/Organisation",
    "./api.xro/2.0/Organisation",
    "../api.xro/2.0/Organisation",
    "api.xro/..",
    "api.xro/../connections",
    "api.xro/./2.0/Organisation",
    "api.xro/2.0/../../connections",
    "api.xro/2.0/..;/..;/connections",
    "api.xro/2.0/%2e%2e/%2e%2e/connections",
    "api.xro/2.0/%2E%2E%2fconnections",
    "api.xro/2.0/.%2e/connections",
    "api.xro/2.0/%252e%252e/connections",
    "api.xro/2.0/%c0%ae%c0%ae/connections",
    "api.xro/..%5c..%5cconnections",
    "api.xro\\..\\connections",
    "api.xro//evil.example",
    "//evil.example/api.xro/2.0/Organisation",
    "https://evil.example/api.xro/2.0/Organisation",
    "https:evil.example",
    "@evil.example/api.xro/2.0/Organisation",
    "api.xro/@evil.example",
    "api.xro/2.0/Organisation%00",
    "api.xro/2.0/Organisation%7f",
    "api.xro/2.0/Organisation%",
    "api.xro/2.0/Organisation%4",
    "api.xro/2.0/Organisation%zz",
    "api.xro/2.0/Organisation|x",
    'api.xro/2.0/Organisation"x',
    # B8: what only a lax decoder reads as `..`.
    "api.xro/..%3b/..%3b/connections",
    "api.xro/..%3Bx=1/..%3bx/connections",
    "api.xro/..%20/..%20/connections",
    "api.xro/..+/..+/connections",
    "api.xro/%20..%09/connections",
    "api.xro/..%c2%a0/connections",
    "api.xro/.%e2%80%8b./connections",
    "api.xro/..%3f/connections",
    "api.xro/..%23/connections",
    "api.xro/.../connections",
    "api.xro/%c0%2e%c0%2e/connections",
    "api.xro/%e0%80%ae%e0%80%ae/connections",
    "api.xro/%ed%a0%80/connections",
    "api.xro/%fe%fe/connections",
    "api.xro/%ef%bc%8e%ef%bc%8e/connections",
    "api.xro/%ef%bc%8e./connections",
    "api.xro/%e2%80%a5/connections",
    "api.xro/%e2%80%a4%e2%80%a4/connections",
    "api.xro/%ef%b9%92%ef%b9%92/connections",
    "api.xro/2.0%ef%bc%8f..%ef%bc%8f..%ef%bc%8fconnections",
    "api.xro/2.0%e2%88%95..%e2%88%95..%e2%88%95connections",
    "api.xro/2.0/..%ef%bc%bc..%ef%bc%bcconnections",
    "api.xro/2.0/a%2f..%2f..%2f..%2fconnections",
    "api.xro%2f..%2fconnections",
    "api.xro/2.0/a%5cb",
    "api.xro/2.0/%25252e%25252e/connections",
    "api.xro/2.0/%2525252525252525252e/connections",
    "api.xro/2.0/%ef%bc%852e%ef%bc%852e/connections",
    "api.xro/2.0/..%253b/connections",
    "api.xro/2.0/..%2520/connections",
    "api.xro/2.0/..%2500/connections",
    "api.xro/2.0/%25c0%25ae%25c0%25ae/connections",
    "api.xro/2.0/%25u002e%25u002e/connections",
    "api.xro/2.0/%u002e%u002e/connections",
    "api.xro/2.0/..%252f..%252f..%252fconnections",
    "api.xro/2.0/..%255c..%255c..%255cconnections",
    "api.xro/%2f/connections",
    "api.xro/%20/connections",
    "api.xro/2.0/Organisation%0a",
    "api.xro/2.0/Organisation%0d%0aX-Evil:%201",
    "api.xro/2.0/%0aOrganisation",
    "api.xro/2.0/Organisation%c2%85",
    "api.xro/2.0/Contacts?where=%00",
    "api.xro/2.0/Contacts?where=a%0d%0aX-Evil:%201",
    "api.xro/2.0/Contacts?where=%c0%80",
    "api.xro/2.0/Contacts?where=%",
    "Api.xro/2.0/Organisation",
    "%61pi.xro/2.0/Organisation",
    "api.xro;/2.0/Organisation",
    "connections/..;/api.xro/2.0/Organisation",
    "CONNECTIONS",
    "%63onnections",
    "api.xro/" + "x" * 4096,
]
REACHED = [
    "api.xro/2.0/Organisation",
    "api.xro/2.0/Invoices/INV-0001%20a/Attachments/caf%C3%A9%40home.pdf",
    "api.xro/2.0/Invoices?where=Name%3D%3D%22Caf%C3%A9%22&order=Date%20DESC&page=2",
    "api.xro/2.0/Reports/TrackingCategories(1)",
    # B8: as Xero's SDKs send the file name `50% deposit.pdf`, and others that people give.
    "api.xro/2.0/Invoices/1/Attachments/50%25%20deposit.pdf",
    "api.xro/2.0/Invoices/1/Attachments/100%25.pdf",
    "api.xro/2.0/Invoices/1/Attachments/%25",
    "api.xro/2.0/Invoices/1/Attachments/VAT%2020%2505.2026.pdf",
    "api.xro/2.0/Invoices/1/Attachments/caf%25E9.pdf",
    "api.xro/2.0/Invoices/1/Attachments/a%252Fb%2525.pdf",
    "api.xro/2.0/Invoices/1/Attachments/..hidden..pdf..",
    "api.xro/2.0/Invoices/1/Attachments/what%3F%20%231%3B%20%2B.pdf",
    "api.xro/2.0/Invoices/1/Attachments/%3B.pdf",
    "api.xro/2.0/Invoices/1/Attachments/%E8%AB%8B%E6%B1%82%E6%9B%B8%EF%BC%8F%EF%BC%91.pdf",
    "api.xro/2.0/Invoices/1/Attachments/%C2%BD%20price%E2%80%A6%20.pdf",
    "api.xro/2.0/Invoices/1/Attachments/%F0%9F%91%A9%E2%80%8D%F0%9F%94%A7.pdf",
    "api.xro/2.0/Invoices/2026%2F001",
    "api.xro/2.0/Contacts?where=Name%3D%3D%2250%25%22&x=..%2F..&searchTerm=a+b",
    "api.xro/2.0/Contacts/",
    "payroll.xro/2.0/Employees",
    "files.xro/1.0/Files/1/Content",
    "assets.xro/1.0/Assets",
    "projects.xro/2.0/Projects",
    "bankfeeds.xro/1.0/Statements",
    "finance.xro/1.0/CashValidation",
]


async def ask(address: str, billing: Service, binding_id: str, path: str) -> tuple[int, bytes]:
    """Ask with the path exactly as it is: every client library would tidy it."""
    return await raw_exchange(
        address,
        [
            f"GET {PREFIX}/bindings/{binding_id}/api/{path} HTTP/1.1",
            "Host: service.example",
            f"Authorization: Bearer {billing.made.secret}",
        ],
    )


async def test_another_path_is_refused_and_nothing_is_sent(
    application: Application, billing: Service, connected: Connected
) -> None:
    """S34."""
    answered = {}

    async with instead_of_xero(application) as upstream, served(application.app) as address:
        for path in REFUSED:
            status, answer = await ask(address, billing, connected.id, path)
            answered[path] = status, json.loads(answer.partition(b"\r\n\r\n")[2])["code"]

    assert answered == dict.fromkeys(REFUSED, (400, "forbidden_path"))
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("connections", "Only paths below api.xro/"),
        ("api.xro/2.0/a b", "must be percent-encoded"),
        ("api.xro/2.0/50%", "send %25"),
        ("api.xro/2.0/caf%E9", "not UTF-8"),
        ("api.xro/2.0/a%00", "control character"),
        ("api.xro/2.0/a%5Cb", "backslash"),
        ("api.xro/2.0//a", "empty segment"),
        ("api.xro/2.0/%2e%2e/a", "some servers read as `.` or `..`"),
        ("api.xro/2.0/a?b=%0A", "The query has a control character"),
    ],
)
def test_a_refusal_says_what_was_wrong_without_repeating_it(path: str, why: str) -> None:
    """B8."""
    path, _, query = path.partition("?")

    with pytest.raises(ForbiddenPath, match=re.escape(why)):
        validate_target(path, query)


async def test_a_line_break_reaches_nobody(
    application: Application, billing: Service, connected: Connected
) -> None:
    """S34: it ends the request line before it."""
    plain = "api.xro/2.0/Organisation HTTP/1.1\r\nX-Tenant: x\r\nX-Rest:"

    async with instead_of_xero(application) as upstream, served(application.app) as address:
        await ask(address, billing, connected.id, plain)

    assert [seen.scope["raw_path"] for seen in upstream.requests] in (
        [],
        [b"/api.xro/2.0/Organisation"],
    )


async def test_a_path_below_an_api_root_arrives_as_it_was_sent(
    application: Application, billing: Service, connected: Connected
) -> None:
    """S34: the host is the configured one, path and query are the caller's."""
    async with instead_of_xero(application) as upstream, served(application.app) as address:
        for path in REACHED:
            status, answer = await ask(address, billing, connected.id, path)
            assert status == 200, answer

    host = upstream.address.removeprefix("http://")
    assert {seen.headers["host"] for seen in upstream.requests} == {host}
    assert [arrived(seen) for seen in upstream.requests] == [f"/{path}" for path in REACHED]


def arrived(seen: Request) -> str:
    query = seen.scope["query_string"].decode()
    return str(seen.scope["raw_path"].decode()) + (f"?{query}" if query else "")


async def test_a_bindings_id_may_be_spelled_in_any_way(
    billing: Service, connected: Connected
) -> None:
    spelled = (connected.id, connected.id.upper(), connected.id.replace("-", ""))

    answers = [await billing.calls(each) for each in spelled]

    assert [each.status_code for each in answers] == [200, 200, 200]
