"""A client for one tenant's API: every request carries the token and the tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from xero_service.xero.http import LARGE_RESPONSE, HttpClient, HttpResponse


@dataclass(frozen=True, slots=True)
class XeroApiClient:
    """Calls Xero's API for one tenant with one access token."""

    transport: HttpClient
    api_url: str
    tenant_id: str
    access_token: str = field(repr=False)

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> HttpResponse:
        """Send a request below Xero's API, such as `api.xro/2.0/Organisation`.

        `headers` may ask for anything but another token or tenant. Returns whatever Xero
        answers, errors included; raises ExternalAPIError where it does not answer.
        """
        asked = {name.lower(): value for name, value in (headers or {}).items()}
        return await self.transport.send(
            method,
            f"{self.api_url}/{path.lstrip('/')}",
            headers={
                "accept": "application/json",
                **asked,
                "authorization": f"Bearer {self.access_token}",
                "xero-tenant-id": self.tenant_id,
            },
            query=query,
            content=content,
            at_most=LARGE_RESPONSE,
        )
