"""S35, S36: which headers pass the proxy, and that it follows nobody elsewhere."""

import gzip

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.service_api.callers import Service, problem, raw_exchange, served
from tests.service_api.conftest import Connected
from tests.service_api.upstream import instead_of_xero, over_the_network, raw_upstream
from tests.world import Application
from xero_sandbox.samples import ACME_TRADING
from xero_service.app import PREFIX


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
        "accept-encoding": "identity",
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


async def test_only_known_headers_of_xeros_pass_back_and_ours_stand(
    application: Application, billing: Service, connected: Connected
) -> None:
    """B6, S55: none that acts on a browser, a cache or a proxy as if we had sent it."""
    passed = {
        "accept-ranges": "bytes",
        "allow": "GET, PUT",
        "content-disposition": 'attachment; filename="a.pdf"',
        "content-language": "en",
        "content-range": "bytes 0-8/9",
        "content-type": "application/pdf",
        "etag": '"v1"',
        "last-modified": "Sat, 28 Nov 2026 00:00:00 GMT",
        "retry-after": "7",
        "x-rate-limit-problem": "minute",
        "x-minlimit-remaining": "59",
        "x-daylimit-remaining": "4999",
        "x-appminlimit-remaining": "9999",
        "x-newlimit-remaining": "1",
        "xero-correlation-id": "abc",
    }
    ours = {
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy": "same-site",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "vary": "Origin",
    }
    dropped = [
        *("x-accel-redirect", "x-accel-expires", "x-accel-buffering", "x-accel-limit-rate"),
        *("x-sendfile", "x-lighttpd-send-file", "refresh", "link", "x-frame-options"),
        *("service-worker-allowed", "sourcemap", "x-dns-prefetch-control", "www-authenticate"),
        *("proxy-authenticate", "permissions-policy", "feature-policy", "origin-agent-cluster"),
        *("cross-origin-opener-policy", "cross-origin-embedder-policy", "timing-allow-origin"),
        *("content-security-policy-report-only", "reporting-endpoints", "expect-ct", "pragma"),
        *("public-key-pins", "expires", "age", "surrogate-control", "cdn-cache-control"),
        *("x-request-id", "x-powered-by", "x-forwarded-host", "upgrade", "alt-svc", "via"),
        *("set-login", "speculation-rules", "no-vary-search", "supports-loading-mode"),
        *("critical-ch", "accept-ch", "clear-site-data", "p3p", "x-xss-protection", "x-hop"),
    ]

    async def answer(_: Request) -> Response:
        evil = dict.fromkeys([*dropped, *ours], "evil")
        return Response(b"from Xero", 200, {**passed, **evil, "connection": "x-hop"})

    async with (
        instead_of_xero(application, answer),
        over_the_network(application, billing) as caller,
    ):
        response = await caller.calls(connected.id)

    assert response.text == "from Xero"
    answered = dict(response.headers)
    assert {name: answered.get(name) for name in passed} == passed
    assert {name: answered.get(name) for name in ours} == ours
    assert "evil" not in answered.values()
    assert answered.keys() - passed.keys() - ours.keys() == {
        "content-length",
        "date",
        "x-request-id",
    }


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_a_status_that_no_api_call_has_is_not_passed_back(
    application: Application, billing: Service, connected: Connected, head: bytes
) -> None:
    """B6: the caller is told that the call may have been made."""
    async with (
        raw_upstream(application, head) as asked,
        over_the_network(application, billing) as caller,
    ):
        first = await caller.calls(connected.id)
        second = await caller.calls(connected.id)

    assert problem(first) == problem(second) == (504, "xero_timeout")
    assert "upgrade" not in first.headers
    assert len(asked.requests) == 2


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_answer_without_a_body_announces_none(
    application: Application, billing: Service, connected: Connected, method: str
) -> None:
    """B6: Content-Length goes back where it is right."""
    head = b'HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: "v1"\r\n\r\n'

    async with (
        raw_upstream(application, head),
        over_the_network(application, billing) as caller,
    ):
        response = await caller.calls(connected.id, method=method)

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == '"v1"'


async def test_the_length_that_a_head_asked_for_is_passed_back(
    application: Application, billing: Service, connected: Connected
) -> None:
    """B6."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"

    async with (
        raw_upstream(application, head),
        over_the_network(application, billing) as caller,
    ):
        response = await caller.calls(connected.id, method="HEAD")

    assert response.headers["content-length"] == "1234"


@pytest.mark.parametrize("octets", [b"caf\xc3\xa9", b"caf\xe9", b"\xf0\x9f\x92\xb7", b"\x80\xff"])
async def test_header_bytes_beyond_ascii_pass_as_they_are_in_both_directions(
    application: Application, billing: Service, connected: Connected, octets: bytes
) -> None:
    """B11: they are whatever encoding the two ends have agreed on."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: " + octets + b"\r\n\r\n"

    async with raw_upstream(application, answer) as wire, served(application.app) as address:
        _, answered = await raw_exchange(
            address,
            [
                f"GET {PREFIX}/bindings/{connected.id}/api/api.xro/2.0/Contacts HTTP/1.1",
                "Host: service.example",
                f"Authorization: Bearer {billing.made.secret}",
                f"Idempotency-Key: {octets.decode('latin-1')}",
            ],
        )

    (sent,) = wire.requests
    assert b"\r\nidempotency-key: " + octets + b"\r\n" in sent
    assert b"\r\netag: " + octets + b"\r\n" in answered
