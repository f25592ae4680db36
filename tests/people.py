"""Somebody signed in: what a person does with a browser and the settings page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_BOOKKEEPER
from xero_service.app import PREFIX


@dataclass(frozen=True)
class Landing:
    """Where the callback sent the browser."""

    path: str
    query: Mapping[str, str]

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        assert response.status_code == 303, response.text
        parts = urlsplit(response.headers["location"])
        return cls(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})

    @property
    def error(self) -> str | None:
        return self.query.get("error")

    @property
    def grant_id(self) -> str:
        assert self.query.get("action") == "select_tenant", self.query
        return self.query["grantId"]


@dataclass(frozen=True)
class Person:
    """Somebody signed in with an active org, in a browser of their own."""

    id: str
    org_id: str | None
    sandbox: SandboxClient
    http: httpx.AsyncClient
    azp: str

    def token(self, **options: Any) -> str:
        return self.sandbox.session_token(self.id, self.org_id, azp=self.azp, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return await self.request("POST", path, json=json, **options)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token()}", **options.pop("headers", {})}
        return await self.http.request(method, PREFIX + path, headers=headers, **options)

    def wears(self, session: str | None) -> None:
        """Carry this session cookie, or none."""
        if "__session" in self.http.cookies:
            self.http.cookies.delete("__session")
        if session is not None:
            self.http.cookies.set("__session", session)

    async def starts(self, **query: str) -> str:
        """Begin a consent; return the address of Xero's page."""
        response = await self.get("/start", params=query)
        assert response.status_code == 200, response.text
        return str(response.json()["authorizationUrl"])

    async def returns(self, callback: str, **options: Any) -> httpx.Response:
        """Follow the redirect from Xero."""
        parts = urlsplit(callback)
        return await self.http.get(f"{parts.path}?{parts.query}", **options)

    async def consents(
        self, *tenants: str, xero_user: str = ACME_BOOKKEEPER.xero_user_id, **query: str
    ) -> Landing:
        """Go through a whole consent and back."""
        return await self.lands(await self.allows(*tenants, xero_user=xero_user, **query))

    async def allows(
        self, *tenants: str, xero_user: str = ACME_BOOKKEEPER.xero_user_id, **query: str
    ) -> str:
        """Consent, and stop where Xero redirects to the callback; return that address."""
        return self.sandbox.consent(await self.starts(**query), xero_user, tenants)

    async def lands(self, callback: str, **options: Any) -> Landing:
        return Landing.of(await self.returns(callback, **options))

    async def selects(self, grant_id: str, tenant_id: str) -> dict[str, Any]:
        response = await self.post("/tenants/select", {"grantId": grant_id, "tenantId": tenant_id})
        assert response.status_code in {200, 201}, response.text
        found: dict[str, Any] = response.json()
        return found

    async def connects(
        self, tenant: str, *, xero_user: str = ACME_BOOKKEEPER.xero_user_id
    ) -> dict[str, Any]:
        """Consent for one tenant and bind it; return the binding."""
        landing = await self.consents(tenant, xero_user=xero_user)
        return await self.selects(landing.grant_id, tenant)

    async def tenants(self, grant_id: str) -> dict[str, dict[str, Any]]:
        response = await self.get("/tenants/list", params={"grantId": grant_id})
        assert response.status_code == 200, response.text
        return {each["tenantId"]: each for each in response.json()["tenants"]}

    async def bindings(self, **query: str) -> dict[str, dict[str, Any]]:
        response = await self.get("/bindings", params=query)
        assert response.status_code == 200, response.text
        return {each["tenantId"]: each for each in response.json()["bindings"]}

    async def refreshes(self, **asked: bool) -> dict[str, Any]:
        response = await self.post("/refresh", asked or None)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def disconnects(self, binding_id: str) -> dict[str, Any]:
        response = await self.post("/disconnect", {"tenantBindingId": binding_id})
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found
