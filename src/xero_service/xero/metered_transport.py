"""An httpx transport that counts and times the calls of one area."""

import time

import httpx

from xero_service.errors import XeroInvalidResponse
from xero_service.telemetry.outcomes import outcome_of
from xero_service.telemetry.xero_calls import AreaCalls

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class MeteredTransport(httpx.AsyncBaseTransport):
    """Passes requests on to `inner`, and records how each ended."""

    def __init__(self, inner: httpx.AsyncBaseTransport, calls: AreaCalls) -> None:
        self._inner, self._calls = inner, calls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; what `inner` raises is raised."""
        began, outcome = time.perf_counter(), "abandoned"
        try:
            response = await self._inner.handle_async_request(request)
            outcome = outcome_of(response.status_code)
        except NOT_SENT:
            outcome = "unreachable"
            raise
        except httpx.TransportError:
            outcome = "no_answer"
            raise
        except XeroInvalidResponse:
            outcome = "unreadable"
            raise
        finally:
            self._calls.ended(outcome, time.perf_counter() - began)
        if outcome == "rate_limited":
            self._calls.rate_limited(response.headers.get("x-rate-limit-problem"))
        return response
