"""The part of the sandbox's client that controls webhooks."""

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]


class WebhookControl:
    """The app's webhooks at the sandbox; `call` makes the requests."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def subscription(self) -> Document:
        """Return the `url`, `key`, `status`, `problem` and the numbers of the events."""
        return self._get("")

    def subscribe(self, url: str, key: str | None = None) -> Document:
        """Set the receiver; without `key` the sandbox makes one."""
        return self._post("", url=url, key=key)

    def unsubscribe(self) -> None:
        """Remove the subscription and its events."""
        self._call("DELETE", "/control/webhooks")

    def validate_intent(self) -> Document:
        """Send intent to receive; return the subscription, whose `status` is the result."""
        return self._post("/intent")

    def emit(self, *events: Document) -> tuple[int, int]:
        """Send events (`tenantId`, `eventCategory`, …); return their first and last number."""
        sent = self._post("/events", events=list(events))
        return int(sent["firstEventSequence"]), int(sent["lastEventSequence"])

    def settle(self, *, timeout: float = 30) -> Document:
        """Wait until every attempt that is due was made; return the subscription."""
        return self._post("/settle", timeoutSeconds=timeout)

    def deliveries(self, *, since: int = 0) -> list[Document]:
        """List the attempts, those of intent to receive too."""
        found: list[Document] = self._call(
            "GET", "/control/webhooks/deliveries", params={"since": since}
        )
        return found

    def _get(self, path: str) -> Document:
        found: Document = self._call("GET", f"/control/webhooks{path}")
        return found

    def _post(self, path: str, **body: Any) -> Document:
        answer: Document = self._call("POST", f"/control/webhooks{path}", json=body)
        return answer
