"""The configuration of `web`, run by a real nginx before a stand-in for the service."""

import gzip
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from demo import ports, programs
from demo.postgres import unprivileged_user
from demo.processes import Child, LaunchError

DEPLOY = Path(__file__).parents[2] / "deploy"
PROXY = "/api/integrations/xero/bindings/b-1/api"
SOMEBODY = "192.0.2.7"


class Service(BaseHTTPRequestHandler):
    """Says what reached it; `/stream` below the proxy path waits for leave between two parts."""

    protocol_version = "HTTP/1.1"
    may_finish = threading.Event()

    def answer(self) -> None:
        if self.path.endswith("/stream"):
            self.stream()
            return
        if self.path.endswith("/accelerated"):
            self.accelerated()
            return
        length = int(self.headers.get("Content-Length") or 0)
        received = 0
        while received < length:
            received += len(self.rfile.read(min(1 << 16, length - received)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"path": self.path, "headers": headers, "received": received}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"first")
        self.wfile.flush()
        self.may_finish.wait(10)
        self.wfile.write(b" last")

    def accelerated(self) -> None:
        """Answer as a Xero would that knew which proxy stands in front of the service."""
        self.send_response(200)
        self.send_header("X-Accel-Redirect", "/index.html")
        self.send_header("X-Accel-Expires", "3600")
        self.send_header("X-Accel-Charset", "utf-16")
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"from Xero")

    do_GET = do_POST = do_PUT = answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(scope="module")
def service() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that nginx can read and write without being root."""
    with TemporaryDirectory(prefix="xero-web-") as name:
        place = Path(name)
        place.chmod(0o777)
        yield place


@pytest.fixture(scope="module")
def web(place: Path, service: int) -> Iterator[httpx.Client]:
    """The site, behind a proxy on this machine that ends TLS."""
    yield from serve(place, f"127.0.0.1:{service}", trusted="127.0.0.1")


@pytest.fixture
def web_in_front(place: Path, service: int) -> Iterator[httpx.Client]:
    """The site, with no proxy on this machine to believe."""
    yield from serve(place, f"127.0.0.1:{service}", trusted="192.0.2.1")


@pytest.fixture
def web_without_service(place: Path) -> Iterator[httpx.Client]:
    yield from serve(place, f"127.0.0.1:{ports.free()}", trusted="127.0.0.1")


def serve(place: Path, upstream: str, *, trusted: str) -> Iterator[httpx.Client]:
    port = ports.free()
    try:
        nginx = programs.nginx()
    except LaunchError as error:
        pytest.skip(f"only the text of the configuration was checked: {error}")
    configuration = lay_out(place, port, upstream, trusted)
    child = Child.start(
        "nginx",
        [nginx, "-c", configuration, "-g", "daemon off;"],
        log=place / f"log-{port}",
        user=unprivileged_user(),
    )
    try:
        child.wait_until_answering(f"http://127.0.0.1:{port}/")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
    finally:
        child.stop()


def lay_out(place: Path, port: int, upstream: str, trusted: str) -> Path:
    """Put the files where the image has them, with everything it writes below `place`."""
    root, sites, temporary = place / "page", place / "conf.d", place / f"tmp-{port}"
    for directory in (root / "assets", sites, temporary):
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o777)
    (root / "index.html").write_text("<!doctype html><title>The page</title>")
    (root / "assets" / "index-4f3a.js").write_text("export {}")
    (root / "assets" / "index-4f3a.js.gz").write_bytes(gzip.compress(b"export {}"))
    (root / "assets" / "index-4f3a.js.br").write_bytes(b"brotli")
    variables = {
        "WEB_PORT": f"127.0.0.1:{port}",
        "WEB_ROOT": str(root),
        "API_UPSTREAM": upstream,
        "NGINX_LOCAL_RESOLVERS": "127.0.0.1",
        "SIGN_IN_ORIGINS": "https://sign-in.example.com",
        "TRUSTED_PROXY": trusted,
    }
    site = Template((DEPLOY / "site.conf.template").read_text()).safe_substitute(variables)
    (sites / "site.conf").write_text(site)
    (place / "mime.types").write_text("types { text/html html; application/javascript js; }")
    main = place / f"nginx-{port}.conf"
    text = (DEPLOY / "nginx.conf").read_text()
    text = text.replace("/tmp/", f"{temporary}/")  # noqa: S108  (a path of the container)
    main.write_text(text.replace("/dev/stdout", str(temporary / "access.log")))
    return main


def test_every_path_of_the_page_is_the_page_and_is_asked_for_anew(web: httpx.Client) -> None:
    for path in ("/", "/settings/integrations"):
        answer = web.get(path)

        assert (answer.status_code, "The page" in answer.text) == (200, True)
        assert answer.headers["Cache-Control"] == "no-cache"


def test_the_page_may_run_no_inline_script_and_be_framed_by_nobody(web: httpx.Client) -> None:
    headers = web.get("/").headers
    policy = dict(part.split(maxsplit=1) for part in headers["Content-Security-Policy"].split(";"))

    assert policy["script-src"].split() == ["'self'", "https://sign-in.example.com"]
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in headers
    assert "nginx/" not in headers["Server"]


def test_browsers_are_told_to_stay_with_tls_where_they_came_by_tls(web: httpx.Client) -> None:
    headers = web.get("/", headers={"X-Forwarded-Proto": "https"}).headers

    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")


def test_hashed_files_are_kept_for_good_and_missing_ones_are_not(web: httpx.Client) -> None:
    kept, missing = web.get("/assets/index-4f3a.js"), web.get("/assets/index-0000.js")

    assert (kept.status_code, missing.status_code) == (200, 404)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert missing.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("headers", [{}, {"Via": "1.1 edge"}], ids=["near", "behind a proxy"])
def test_a_file_is_sent_as_the_build_compressed_it(
    web: httpx.Client, headers: dict[str, str]
) -> None:
    """C16: and plain to who takes no other."""
    path, kept = "/assets/index-4f3a.js", "public, max-age=31536000, immutable"

    compressed = web.get(path, headers={**headers, "Accept-Encoding": "gzip, br"})
    plain = web.get(path, headers={**headers, "Accept-Encoding": "identity"})

    assert compressed.headers["Content-Encoding"] == "gzip"
    assert compressed.headers["Content-Length"] == str(len(gzip.compress(b"export {}")))
    assert "Content-Encoding" not in plain.headers
    for answer in (compressed, plain):
        assert answer.text == "export {}"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["Cache-Control"] == kept
        assert answer.headers["Content-Type"] == "application/javascript"


@pytest.mark.parametrize("path", ["/assets/index-4f3a.js.gz", "/assets/index-4f3a.js.br"])
def test_what_a_file_is_sent_as_is_no_file_by_itself(web: httpx.Client, path: str) -> None:
    """C16."""
    assert web.get(path).status_code == 404


def test_a_file_that_is_not_there_is_not_the_page(web: httpx.Client) -> None:
    assert web.get("/sandbox.json").status_code == 404


def test_the_service_hears_who_asks_and_not_what_they_claim(
    web_in_front: httpx.Client,
) -> None:
    claimed = {
        "Forwarded": "for=1.2.3.4",
        "X-Request-Id": "mine",
        "X-Forwarded-For": SOMEBODY,
    }

    heard = web_in_front.get("/api/integrations/xero/bindings", headers=claimed).json()["headers"]

    assert heard["x-forwarded-for"] == "127.0.0.1"
    assert heard["x-request-id"] != "mine"
    assert heard["host"] == f"127.0.0.1:{web_in_front.base_url.port}"
    assert "forwarded" not in heard


def test_the_proxy_in_front_is_believed(web: httpx.Client) -> None:
    said = {"X-Forwarded-For": f"198.51.100.1, {SOMEBODY}"}

    heard = web.get("/api/integrations/xero/bindings", headers=said).json()["headers"]

    assert heard["x-forwarded-for"] == SOMEBODY


@pytest.mark.parametrize("path", ["/api/integrations/xero/disconnect", f"{PROXY}/api.xro/2.0/x"])
@pytest.mark.parametrize("wanted", ["h2c", "websocket"])
def test_no_upgrade_reaches_the_service_and_its_body_does(
    web: httpx.Client, path: str, wanted: str
) -> None:
    """B2, S54: nobody behind could take the body for another request."""
    asking = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": wanted, "HTTP2-Settings": "AAMA"}

    heard = web.post(path, content=b"x" * 1000, headers=asking).json()

    assert heard["received"] == 1000
    assert "upgrade" not in heard["headers"]
    assert "upgrade" not in heard["headers"].get("connection", "").lower()


@pytest.mark.parametrize(
    "path", [f"{PROXY}/api.xro/2.0/a%2Fb?where=x%3D%221%22", "/api/x//y", "/api/%E2%82%AC"]
)
def test_a_path_reaches_the_service_as_it_was_sent(web: httpx.Client, path: str) -> None:
    assert raw(web, path)["path"] == path


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/api/../metrics", "/api/%2e%2e/readyz"])
def test_operations_of_the_inside_stay_inside(web: httpx.Client, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", web.base_url.port or 0)
    connection.request("GET", path)

    assert connection.getresponse().status == 404
    connection.close()


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/openapi.json", "/healthz", "/api/x"])
def test_what_the_service_answers_is_left_as_it_is(web: httpx.Client, path: str) -> None:
    answer = web.get(path)

    assert answer.json()["path"] == path
    assert set(answer.headers) == {"server", "date", "content-type", "content-length", "connection"}


def test_ten_megabytes_and_more_pass_to_xero_and_nowhere_else(web: httpx.Client) -> None:
    passed = web.put(f"{PROXY}/api.xro/2.0/Invoices/1/Attachments/a.pdf", content=b"x" * 25_000_000)
    refused = web.post("/api/integrations/xero/disconnect", content=b"x" * 100_000)

    assert passed.json()["received"] == 25_000_000
    assert refused.status_code == 413
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "body_too_large"


@pytest.mark.parametrize("path", [f"{PROXY}/accelerated", "/api/accelerated", "/docs/accelerated"])
def test_no_answer_from_behind_makes_nginx_answer_with_something_else(
    web: httpx.Client, path: str
) -> None:
    """B6, S55."""
    answer = web.get(path)

    assert (answer.text, answer.headers["Content-Type"]) == ("from Xero", "text/plain")
    assert not [name for name in answer.headers if name.startswith("x-accel-")]


def test_an_answer_of_xero_streams(web: httpx.Client) -> None:
    Service.may_finish.clear()
    with web.stream("GET", f"{PROXY}/api.xro/2.0/stream") as answer:
        parts = answer.iter_raw()

        assert next(parts) == b"first"
        Service.may_finish.set()
        assert b"".join(parts) == b" last"


def test_a_service_that_is_away_is_a_problem_with_a_time_to_retry(
    web_without_service: httpx.Client,
) -> None:
    answer = web_without_service.get("/api/integrations/xero/bindings")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json().keys() == {"type", "title", "status", "detail", "code", "requestId"}


API_CSP = "default-src 'none'; frame-ancestors 'none'"
MALFORMED = [
    b"GET /api/x HTTP/1.1\r\n\r\n",  # no Host
    b"GET /api/x\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/x HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 40_000 + b"\r\n\r\n",
    b"GET /api/" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /api/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"POST /api/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
    b"GET /api/../../x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    b"TRACE /api/x HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", MALFORMED, ids=range(len(MALFORMED)))
def test_nginxs_own_refusals_carry_the_headers_that_browsers_obey(
    web: httpx.Client, request_bytes: bytes
) -> None:
    """B11, S46."""
    status, headers = exchanged(web, request_bytes)

    assert 400 <= status < 600
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] in {"no-cache", "no-store"}


def test_a_request_that_nginx_cannot_read_is_a_problem(web: httpx.Client) -> None:
    """B11."""
    with socket.create_connection(("127.0.0.1", web.base_url.port or 0), timeout=20) as connection:
        connection.sendall(b"GET /api/%zz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        problem = json.load(answer)

    assert answer.getheader("Content-Type") == "application/problem+json"
    assert (answer.status, problem["status"], problem["code"]) == (400, 400, "bad_request")


@pytest.mark.parametrize("path", ["/api/integrations/xero/bindings", f"{PROXY}/api.xro/x", "/docs"])
def test_a_service_that_is_away_is_told_with_the_headers_that_browsers_obey(
    web_without_service: httpx.Client, path: str
) -> None:
    """B11, S46."""
    answer = web_without_service.get(path, headers={"X-Forwarded-Proto": "https"})

    assert answer.status_code == 503
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == API_CSP
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")


@pytest.mark.parametrize("path", ["/api/integrations/xero/disconnect", f"{PROXY}/api.xro/2.0/x"])
def test_a_body_that_is_too_large_is_refused_with_the_headers_that_browsers_obey(
    web: httpx.Client, path: str
) -> None:
    """B11, S46."""
    status, headers = exchanged(
        web,
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000\r\n\r\n".encode(),
    )

    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert headers["content-security-policy"] == API_CSP
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_what_a_callback_carries_is_not_logged(web: httpx.Client, place: Path) -> None:
    web.get("/api/integrations/xero/callback?code=canary-code&state=canary-state")

    log = "".join(file.read_text() for file in place.glob("tmp-*/access.log"))
    assert "/api/integrations/xero/callback" in log
    assert "canary" not in log


def exchanged(web: httpx.Client, request: bytes) -> tuple[int, dict[str, str]]:
    """Send bytes as they are; return the status and the headers."""
    address = ("127.0.0.1", web.base_url.port or 0)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def raw(web: httpx.Client, path: str) -> Any:
    """Ask for a path without a client that tidies it."""
    connection = http.client.HTTPConnection("127.0.0.1", web.base_url.port or 0)
    connection.request("GET", path)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer
