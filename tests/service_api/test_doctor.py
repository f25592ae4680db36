"""What the doctor says of the session issuer's own name."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests import commands
from tests.notices.mail_server import serving
from xero_service.settings import Settings


@contextmanager
def issuer_that_calls_itself(name: str) -> Iterator[str]:
    """Publish metadata with this name; `{}` in it is where it is published."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/.well-known/openid-configuration"
            self.send_response(200 if found else 404)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"issuer": name.format(at)}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        at = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield at
        server.shutdown()


@pytest.mark.parametrize(
    ("name", "said", "code"),
    [
        ("https://clerk.example.com", "✗ AUTH_ISSUER: is http://127.0.0.1:", 2),
        ("{}/", "✓ AUTH_ISSUER: is what its metadata says", 0),
        ("{}", "✓ AUTH_ISSUER: is what its metadata says", 0),
    ],
    ids=["another", "with a slash", "the same"],
)
async def test_the_doctor_compares_the_issuer_with_its_metadata_c9(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    said: str,
    code: int,
) -> None:
    with issuer_that_calls_itself(name) as at:
        monkeypatch.setenv("AUTH_ISSUER", at)
        done = await asyncio.to_thread(commands.run, capsys, "doctor")

    assert said in done.said
    assert done.code == code


async def test_an_issuer_without_metadata_is_no_fault_c9(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    done = await asyncio.to_thread(commands.run, capsys, "doctor")

    assert "✓ AUTH_ISSUER: publishes no metadata to compare it with" in done.said


async def test_the_doctor_tries_the_mail_server_s65(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """S65: it says nothing of mail while SMTP_URL is unset, and repeats no password."""
    without = await asyncio.to_thread(commands.run, capsys, "doctor")
    assert "mail server" not in without.said

    monkeypatch.setenv("NOTICES_FROM", "notices@acme.example")
    async with serving(user=("mailer", "right")) as server:
        monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{server.port}")
        usable = await asyncio.to_thread(commands.run, capsys, "doctor")
        monkeypatch.setenv("SMTP_URL", f"smtp://mailer:hunter2@127.0.0.1:{server.port}")
        refused = await asyncio.to_thread(commands.run, capsys, "doctor")
    assert ("✓ mail server: accepts" in usable.said, usable.code) == (True, 0)
    assert ("✗ mail server: not usable" in refused.said, refused.code) == (True, 1)
    assert "hunter2" not in refused.said
