"""One delivery of a webhook: the receiver with its key, the POST and its outcome (facts §9)."""

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cache
from ssl import SSLContext
from typing import Any, Literal

import httpx

TIMEOUT_SECONDS = 5.0
SubscriptionStatus = Literal["none", "intent_required", "active", "disabled"]
Purpose = Literal["intent", "events"]


@dataclass
class Subscription:
    """The address and the key of the app's webhooks, as in Xero's developer portal."""

    url: str = ""
    key: str = field(default="", repr=False)
    status: SubscriptionStatus = "none"
    problem: str | None = None

    def sign(self, body: bytes) -> str:
        """Return the value of `x-xero-signature`."""
        digest = hmac.digest(self.key.encode(), body, hashlib.sha256)
        return base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Delivery:
    """One POST to the receiver. `problem` says why it was not accepted."""

    n: int
    at: str
    purpose: Purpose
    attempt: int
    first: int
    last: int
    tenant_ids: list[str]
    correctly_signed: bool
    status: int | None
    problem: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the delivery as the control route returns it."""
        return {
            "n": self.n,
            "at": self.at,
            "purpose": self.purpose,
            "attempt": self.attempt,
            "firstEventSequence": self.first,
            "lastEventSequence": self.last,
            "tenantIds": self.tenant_ids,
            "correctlySigned": self.correctly_signed,
            "status": self.status,
            "problem": self.problem,
        }


@dataclass(frozen=True)
class Outcome:
    """The status of an answer, and what is wrong with the answer, if anything is."""

    status: int | None
    problem: str | None = None


def http_client() -> httpx.AsyncClient:
    """Return a client for `post`, which limits the time."""
    return httpx.AsyncClient(trust_env=False, timeout=None, verify=_tls())  # noqa: S113


@cache
def _tls() -> SSLContext:
    return httpx.create_ssl_context(trust_env=False)


async def post(
    http: httpx.AsyncClient, url: str, body: bytes, signature: str, *, expected: int = 200
) -> Outcome:
    """Send one webhook; its answer must have the expected status, no body and no cookie."""
    headers = {
        "content-type": "application/json; charset=utf-8",
        "x-xero-signature": signature,
        "user-agent": "xero-sandbox",
    }
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            answer = await http.post(url, content=body, headers=headers)
    except TimeoutError:
        return Outcome(None, "No answer within 5 seconds.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Outcome(None, f"The receiver cannot be reached: {type(error).__name__}.")
    if answer.status_code != expected:
        return Outcome(answer.status_code, f"Status {answer.status_code}, expected {expected}.")
    if answer.content:
        return Outcome(answer.status_code, "The answer has a body.")
    if "set-cookie" in answer.headers:
        return Outcome(answer.status_code, "The answer sets a cookie.")
    return Outcome(answer.status_code)
