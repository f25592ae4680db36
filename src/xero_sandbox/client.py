"""A client of the control routes and the session issuer, for tests and demos."""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

import httpx

from xero_sandbox.webhook_client import WebhookControl

Document: TypeAlias = dict[str, Any]


class SandboxError(Exception):
    """The sandbox refused a request; the message says why."""


class SandboxClient:
    """A client of the sandbox at `base_url`. Arguments named `user` are a key or a xero_userid."""

    def __init__(self, base_url: str, *, timeout: float = 30.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(base_url=self.base_url, timeout=timeout, trust_env=False)
        self._sessions: dict[str, str] = {}
        self.webhooks = WebhookControl(self._call)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # The session issuer

    def people(self) -> list[Document]:
        """List the sample people with their orgs and roles."""
        return self._list("/session/people")

    def sign_in(self, person_id: str) -> Document:
        """Open a new session; return its `sessionId`, `person` and `orgs`."""
        return self._post("/session/sign-in", personId=person_id)

    def sign_out(self, session_id: str) -> None:
        """End a session; later token requests of it are 401."""
        self._call("DELETE", f"/session/sessions/{session_id}")

    def session_token(
        self,
        person_id: str,
        org_id: str | None,
        *,
        session_id: str | None = None,
        version: Literal[1, 2] = 2,
        azp: str | None = None,
        lifetime_seconds: int = 60,
        claims: dict[str, Any] | None = None,
        header: dict[str, Any] | None = None,
    ) -> str:
        """Return a new session token, by default of this client's session of the person."""
        if session_id is None:
            if person_id not in self._sessions:
                self._sessions[person_id] = self.sign_in(person_id)["sessionId"]
            session_id = self._sessions[person_id]
        answer = self._post(
            "/session/tokens",
            sessionId=session_id,
            orgId=org_id,
            version=version,
            azp=azp,
            lifetimeSeconds=lifetime_seconds,
            claims=claims or {},
            header=header or {},
        )
        return str(answer["token"])

    # Consent

    def consent(self, authorize_url: str, user: str, tenant_ids: Iterable[str]) -> str:
        """Allow access to the tenants, or Continue if there are none; return the callback URL.

        Raises SandboxError with the text of the page if Xero would not redirect.
        """
        chosen = list(tenant_ids)
        return self._decide(authorize_url, user, chosen, "allow" if chosen else "continue")

    def cancel(self, authorize_url: str, user: str) -> str:
        """Press Cancel; return the callback URL, which has the error."""
        return self._decide(authorize_url, user, [], "cancel")

    def _decide(self, url: str, user: str, tenant_ids: list[str], action: str) -> str:
        answer = self._post(
            "/control/consent",
            authorizeUrl=url,
            xeroUserId=user,
            tenantIds=tenant_ids,
            action=action,
        )
        if "error" in answer:
            raise SandboxError(answer["error"])
        return str(answer["redirect"])

    # State and journal

    def state(self) -> Document:
        """Return users, orgs, connections, grants, clock and switches."""
        return self._get("/control/state")

    def journal(self, kind: str | None = None, *, since: int = 0) -> list[Document]:
        """List the requests; a kind includes its family (`token` includes `token.refresh`)."""
        params: dict[str, Any] = {"since": since} | ({"kind": kind} if kind else {})
        return self._list("/control/journal", **params)

    def token_uses(self) -> list[Document]:
        """List every refresh token, by fingerprint, with its history."""
        return self._list("/control/tokens")

    # The sandbox itself

    def reset(self) -> None:
        """Return to the sample state."""
        self._sessions.clear()
        self._post("/control/reset")

    def switch(self, **switches: Any) -> Document:
        """Set switches; the names are camelCase, as in `GET /control/switches`."""
        return self._post("/control/switches", **switches)

    def advance(self, seconds: float) -> None:
        """Advance the Xero side's clock."""
        self._post("/control/clock", advanceSeconds=seconds)

    def freeze(self) -> None:
        """Stop the Xero side's clock; only `advance` moves it then."""
        self._post("/control/clock", frozen=True)

    def thaw(self) -> None:
        """Start the clock again."""
        self._post("/control/clock", frozen=False)

    def rotate_keys(
        self, issuer: Literal["identity", "session"] = "identity", *, keep_old: bool = True
    ) -> str:
        """Replace the signing key by a new one; return its kid."""
        return str(self._post("/control/keys/rotate", issuer=issuer, keepOld=keep_old)["kid"])

    def latency(self, milliseconds: float) -> None:
        """Delay every request on the Xero side by this time."""
        self._post("/control/upstream", latencyMs=milliseconds)

    def seed(self, grants: int, *, scopes: list[str] | None = None) -> list[Document]:
        """Create synthetic users, each with a grant, a connection and tokens."""
        body = {"grants": grants} | ({"scopes": scopes} if scopes else {})
        found: list[Document] = self._call("POST", "/control/seed", json=body, timeout=600)
        return found

    # Faults

    def fault(
        self,
        kind: str,
        fault: str,
        *,
        when: Literal["before", "after"] = "before",
        times: int | None = 1,
        seconds: float = 30.0,
        retry_after: int | None = None,
        user: str | None = None,
        changes: Document | None = None,
    ) -> int:
        """Inject a fault and return its id; with `times=None` it lasts until it is cleared.

        `changes` applies to `changed_fields` and `changed_id_token`; None removes a field or claim.
        """
        answer = self._post(
            "/control/faults",
            kind=kind,
            fault=fault,
            when=when,
            times=times,
            seconds=seconds,
            retryAfter=retry_after,
            xeroUserId=user,
            changes=changes or {},
        )
        return int(answer["id"])

    def faults(self) -> list[Document]:
        """List the injected faults."""
        return self._list("/control/faults")

    def wait_until_held(self, fault_id: int, count: int = 1, *, timeout: float = 10.0) -> None:
        """Return when `count` requests are held; raises SandboxError on timeout.

        It blocks the thread. If the held caller runs in this thread's event loop, use
        `asyncio.to_thread`.
        """
        self._get(f"/control/faults/{fault_id}", waitFor=count, timeoutSeconds=timeout)

    def release(self, fault_id: int) -> None:
        """Resume the requests that a fault holds."""
        self._post(f"/control/faults/{fault_id}/release")

    def clear_faults(self) -> None:
        """Remove every fault and resume all held requests."""
        self._call("DELETE", "/control/faults")

    # Events inside Xero

    def connect(self, user: str, tenant_id: str) -> Document:
        """Create a connection without a consent; return `connectionId` and `authEventId`."""
        return self._post("/control/connect", xeroUserId=user, tenantId=tenant_id)

    def disconnect(self, user: str, tenant_id: str) -> None:
        """Disconnect under Connected apps in Xero."""
        self._post("/control/disconnect", xeroUserId=user, tenantId=tenant_id)

    def set_role(
        self,
        user: str,
        tenant_id: str,
        role: Literal["adviser", "standard", "read_only"] | None,
    ) -> None:
        """Set a user's role in an organisation; None removes the user."""
        self._post(f"/control/users/{user}/role", tenantId=tenant_id, role=role)

    def refuse_access_tokens(self, user: str) -> None:
        """Refuse the user's current access tokens; those of a later refresh are valid."""
        self._post(f"/control/users/{user}/refuse-access-tokens")

    def kill_refresh_tokens(self, user: str) -> None:
        """Invalidate the user's refresh tokens; the next refresh is `invalid_grant`."""
        self._post(f"/control/users/{user}/kill-refresh-tokens")

    def set_org_status(
        self, tenant_id: str, status: Literal["active", "offline", "deleted", "trial_ended"]
    ) -> None:
        """Set an organisation's status."""
        self._post(f"/control/orgs/{tenant_id}", status=status)

    def rename_org(self, tenant_id: str, name: str) -> None:
        """Rename an organisation."""
        self._post(f"/control/orgs/{tenant_id}", name=name)

    def reset_demo(self, tenant_id: str) -> str:
        """Reset a demo company; return its new tenant id."""
        return str(self._post(f"/control/orgs/{tenant_id}/reset-demo")["tenantId"])

    def _list(self, path: str, **params: Any) -> list[Document]:
        found: list[Document] = self._call("GET", path, params=params)
        return found

    def _get(self, path: str, **params: Any) -> Document:
        found: Document = self._call("GET", path, params=params)
        return found

    def _post(self, path: str, **body: Any) -> Document:
        answer: Document = self._call("POST", path, json=body)
        return answer

    def _call(self, method: str, path: str, **options: Any) -> Any:
        answer = self._http.request(method, path, **options)
        if answer.is_error:
            raise SandboxError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None
