"""S35, S36: which headers pass the proxy, and that it follows nobody elsewhere."""

import gzip

from starlette.requests import Request
from starlette.responses import Response

from tests.internal.callers import Service
from tests.internal.conftest import Connected
from tests.internal.upstream import instead_of_xero, over_the_network
from tests.world import Application
from xero_sandbox.samples import ACME_TRADING


async def test_what_the_caller_may_not_say_is_dropped_and_the_rest_is_kept(
    application: Application, billing: Service, connected: Connected
) -> None:
    """S36."""
    sent = {
        "Cookie": "__session=stolen",
        "Forwarded": "for=10.0.0.1",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "evil.example",
        "X-Real-Ip": "10.0.0.1",
        "Via": "1.1 elsewhere",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "1",
        "TE": "trailers",
        "Proxy-Authorization": "Basic eDp5",
        "xero-tenant-id": "20000000-0000-4000-8000-000000000004",
        "xero_tenant_id": "20000000-0000-4000-8000-000000000004",
        "Xero-User-Id": "10000000-0000-4000-8000-000000000001",
        "X-Original-URL": "/connections",
        "X-Rewrite-URL": "/connections",
        "X-HTTP-Method-Override": "DELETE",
        "X-HTTP-Method": "DELETE",
        "X-Method-Override": "DELETE",
        "Idempotency-Key": "3f0c",
        "If-Modified-Since": "2026-01-01T00:00:00",
        "Accept-Encoding": "br",
        "User-Agent": "billing/1.0",
        "Content-Type": "application/json",
    }

    async with (
        instead_of_xero(application) as upstream,
        over_the_network(application, billing.naming("org_acme")) as caller,
    ):
        response = await caller.calls(
            connected.id, "api.xro/2.0/Contacts", "POST", headers=sent, content=b'{"a": 1}'
        )

    assert response.text == "from Xero"
    (seen,) = upstream.requests
    token = (await billing.token(connected.id)).json()["accessToken"]
    assert dict(seen.headers) == {
        "accept": "application/json",
        "accept-encoding": "br",
        "authorization": f"Bearer {token}",
        "content-length": "8",
        "content-type": "application/json",
        "host": upstream.address.removeprefix("http://"),
        "idempotency-key": "3f0c",
        "if-modified-since": "2026-01-01T00:00:00",
        "user-agent": "billing/1.0",
        "xero-tenant-id": ACME_TRADING,
    }
    assert upstream.bodies == [b'{"a": 1}']


async def test_what_is_xeros_own_is_passed_back_and_the_rest_is_not(
    application: Application, billing: Service, connected: Connected
) -> None:
    """S36."""
    body = gzip.compress(b'{"a": 1}')

    async def answer(_: Request) -> Response:
        found = Response(body, 418, {"content-encoding": "gzip"}, "application/problem+json")
        for name, value in (
            ("Set-Cookie", "xero=1"),
            ("Server", "Kestrel"),
            ("WWW-Authenticate", "Bearer"),
            ("Access-Control-Allow-Origin", "*"),
            ("Strict-Transport-Security", "max-age=1"),
            ("Content-Security-Policy", "default-src *"),
            ("Connection", "X-Hop"),
            ("X-Hop", "1"),
            ("Retry-After", "7"),
            ("X-Rate-Limit-Problem", "minute"),
            ("X-DayLimit-Remaining", "4000"),
            ("Xero-Correlation-Id", "abc"),
        ):
            found.headers[name] = value
        return found

    async with (
        instead_of_xero(application, answer),
        over_the_network(application, billing) as caller,
    ):
        response = await caller.calls(connected.id)

    assert response.status_code == 418
    assert response.json() == {"a": 1}
    assert response.headers["content-length"] == str(len(body))
    for kept in ("retry-after", "x-rate-limit-problem", "x-daylimit-remaining"):
        assert kept in response.headers
    assert response.headers["xero-correlation-id"] == "abc"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    for dropped in ("set-cookie", "server", "www-authenticate", "x-hop", "connection"):
        assert dropped not in response.headers
    assert not [name for name in response.headers if name.startswith("access-control-")]
    assert "strict-transport-security" not in response.headers


async def test_a_redirect_is_passed_back_and_not_followed(
    application: Application, billing: Service, connected: Connected
) -> None:
    """S35: the token never leaves Xero's host."""

    async def elsewhere(_: Request) -> Response:
        return Response(status_code=302, headers={"location": "http://127.0.0.1:9/steal"})

    async with instead_of_xero(application, elsewhere) as upstream:
        response = await billing.calls(connected.id)

    assert response.status_code == 302
    assert response.headers["location"] == "http://127.0.0.1:9/steal"
    assert len(upstream.requests) == 1


async def test_every_method_passes(
    application: Application, billing: Service, connected: Connected
) -> None:
    async with instead_of_xero(application) as upstream:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            response = await billing.calls(connected.id, method=method)
            assert response.status_code == 200

    assert [seen.method for seen in upstream.requests] == [
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    ]
