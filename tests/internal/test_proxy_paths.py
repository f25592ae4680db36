"""S34: the proxy leads below Xero's API roots, by plain paths, and nowhere else."""

from starlette.requests import Request

from tests.internal.callers import Service, raw_exchange, served
from tests.internal.conftest import Connected
from tests.internal.upstream import instead_of_xero
from tests.world import Application
from xero_service.app import PREFIX

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
]
REACHED = [
    "api.xro/2.0/Organisation",
    "api.xro/2.0/Invoices/INV-0001%20a/Attachments/caf%C3%A9%40home.pdf",
    "api.xro/2.0/Invoices?where=Name%3D%3D%22Caf%C3%A9%22&order=Date%20DESC&page=2",
    "api.xro/2.0/Reports/TrackingCategories(1)",
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
            answered[path], _ = await ask(address, billing, connected.id, path)

    assert answered == dict.fromkeys(REFUSED, 400)
    assert upstream.requests == []


async def test_a_line_break_reaches_nobody(
    application: Application, billing: Service, connected: Connected
) -> None:
    """S34: encoded it has no route; as it is, it ends the request line before it."""
    encoded = "api.xro/2.0/Organisation%0d%0aX-Evil:%201"
    plain = "api.xro/2.0/Organisation HTTP/1.1\r\nX-Tenant: x\r\nX-Rest:"

    async with instead_of_xero(application) as upstream, served(application.app) as address:
        status, _ = await ask(address, billing, connected.id, encoded)
        assert status == 404
        assert upstream.requests == []
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
