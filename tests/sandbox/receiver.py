"""A receiver of webhooks on loopback that records requests and answers as a test tells it."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "a webhook key"


@dataclass(frozen=True)
class Received:
    """One request: its body's bytes and its signature."""

    raw: bytes
    signature: str

    @property
    def body(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.raw)
        return parsed

    @property
    def numbers(self) -> tuple[int, int]:
        return self.body["firstEventSequence"], self.body["lastEventSequence"]

    def is_signed_with(self, key: str) -> bool:
        digest = hmac.digest(key.encode(), self.raw, hashlib.sha256)
        return self.signature == base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Answer:
    """What the receiver answers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0


def verifying(received: Received) -> Answer:
    """Answer as a receiver must."""
    return Answer(200 if received.is_signed_with(KEY) else 401)


@dataclass
class Receiver:
    url: str
    answer: Callable[[Received], Answer] = verifying
    requests: list[Received] = field(default_factory=list)

    @property
    def batches(self) -> list[Received]:
        return [each for each in self.requests if each.body["events"]]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            received = Received(raw, self.headers["x-xero-signature"])
            running.requests.append(received)
            answer = running.answer(received)
            time.sleep(answer.delay)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Receiver(f"http://127.0.0.1:{server.server_address[1]}/webhooks/xero")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
