"""Sends one webhook by httpx: bounded in time, follows no redirect, reads 4 KiB of the answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import httpx

from xero_service.timeouts import WEBHOOK_SECONDS

READ_AT_MOST = 4096  # bytes
KEPT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """The answer of an endpoint; `status`: None without one, and `text` is then the reason."""

    status: int | None
    text: str

    @property
    def is_acknowledged(self) -> bool:
        """Whether the endpoint has taken the event: any 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint wants no more events (Standard Webhooks: 410)."""
        return self.status == 410


class WebhookSender:
    """An HTTP client for endpoints that operators name; any host, private addresses too."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Send a body; return the answer, or why there was none. Raises nothing."""
        try:
            async with (
                asyncio.timeout(WEBHOOK_SECONDS),
                self._client.stream("POST", url, headers=dict(headers), content=body) as response,
            ):
                text = await _read_start(response)
                return WebhookAnswer(response.status_code, text)
        except TimeoutError:
            return WebhookAnswer(None, f"no answer in {WEBHOOK_SECONDS:.0f} seconds")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return WebhookAnswer(None, type(error).__name__)

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        """Made at the first use: reading the certificates takes longer than most commands."""
        return httpx.AsyncClient(
            timeout=WEBHOOK_SECONDS,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            headers={"user-agent": "xero-service", "accept-encoding": "identity"},
        )

    async def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            await self._client.aclose()


async def _read_start(response: httpx.Response) -> str:
    read = b""
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) >= READ_AT_MOST:
            break
    text = read[:READ_AT_MOST].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text)[:KEPT_CHARACTERS].strip()
