"""An app as Xero sees one: it sends people to consent, trades codes and calls the API."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx

from xero_sandbox.client import SandboxClient

CALLBACK = "http://localhost:8000/api/integrations/xero/callback"
SCOPES = "openid profile email offline_access accounting.settings accounting.contacts"
CREDENTIALS = ("sandbox-client", "sandbox-secret")

Tokens = dict[str, Any]


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@dataclass(frozen=True)
class SampleApp:
    sandbox: SandboxClient
    http: httpx.Client

    def authorize_url(self, **changes: str | None) -> str:
        values = {
            "response_type": "code",
            "client_id": "sandbox-client",
            "redirect_uri": CALLBACK,
            "scope": SCOPES,
            "state": "some-state",
        } | changes
        present = {name: value for name, value in values.items() if value is not None}
        query = urlencode(present, quote_via=quote)
        return f"{self.sandbox.base_url}/login/identity/connect/authorize?{query}"

    def code(self, user: str, *tenant_ids: str, **changes: str | None) -> str:
        return query_of(self.sandbox.consent(self.authorize_url(**changes), user, tenant_ids))[
            "code"
        ]

    def sign_in(self, user: str, *tenant_ids: str, **changes: str | None) -> Tokens:
        answer = self.exchange(self.code(user, *tenant_ids, **changes))
        assert answer.status_code == 200, answer.text
        tokens: Tokens = answer.json()
        return tokens

    def exchange(self, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        return self.token(form | changes)

    def refresh(self, refresh_token: str) -> httpx.Response:
        return self.token({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def token(self, form: dict[str, str]) -> httpx.Response:
        return self.http.post("/identity/connect/token", data=form, auth=CREDENTIALS)

    def revoke(self, token: str) -> httpx.Response:
        return self.http.post(
            "/identity/connect/revocation", data={"token": token}, auth=CREDENTIALS
        )

    def connections(self, tokens: Tokens, **params: str) -> list[dict[str, Any]]:
        answer = self.http.get("/api/connections", headers=bearer(tokens), params=params)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def delete_connection(self, tokens: Tokens, connection_id: str) -> httpx.Response:
        return self.http.delete(f"/api/connections/{connection_id}", headers=bearer(tokens))

    def organisation(self, tokens: Tokens, tenant_id: str) -> httpx.Response:
        return self.call("Organisation", tokens, tenant_id)

    def call(self, resource: str, tokens: Tokens, tenant_id: str) -> httpx.Response:
        headers = bearer(tokens) | {"xero-tenant-id": tenant_id, "accept": "application/json"}
        return self.http.get(f"/api/api.xro/2.0/{resource}", headers=headers)


def bearer(tokens: Tokens) -> dict[str, str]:
    return {"authorization": f"Bearer {tokens['access_token']}"}
