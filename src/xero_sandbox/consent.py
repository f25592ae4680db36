"""The outcome of a consent: checks the user's decision and builds the redirect to the callback."""

from typing import Literal
from urllib.parse import quote, urlencode

from xero_sandbox.authorize_request import AuthorizeRequest
from xero_sandbox.connections import Connections
from xero_sandbox.directory import Directory
from xero_sandbox.grants import Grants
from xero_sandbox.model import XeroUser

Action = Literal["allow", "cancel", "continue"]


class ConsentRefused(Exception):
    """The decision is not possible; the consent page shows the message and stays open."""


class ConsentFlow:
    """Carries out decisions, both of the consent page and of `POST /control/consent`."""

    def __init__(self, directory: Directory, connections: Connections, grants: Grants) -> None:
        self._directory = directory
        self._connections = connections
        self._grants = grants

    def decide(
        self, request: AuthorizeRequest, action: Action, user: XeroUser, tenant_ids: list[str]
    ) -> str:
        """Carry out the decision and return the callback URL.

        Raises ConsentRefused or ConnectionLimitReached; both leave the state unchanged.
        """
        if action == "cancel":
            return _callback(
                request, error="access_denied", error_description="TenantConsent status DENIED"
            )
        if action == "continue":
            return self._consent(request, user, [])
        self._check_choice(request, user, tenant_ids)
        self._connections.check_connection_limit(tenant_ids)
        return self._consent(request, user, tenant_ids)

    def _check_choice(
        self, request: AuthorizeRequest, user: XeroUser, tenant_ids: list[str]
    ) -> None:
        if not tenant_ids:
            raise ConsentRefused("Choose an organisation first.")
        if len(tenant_ids) > 1 and not request.bulk:
            raise ConsentRefused("Choose one organisation at a time.")
        for tenant_id in tenant_ids:
            org = self._directory.find_org(tenant_id)
            if org is None or not org.admits(user):
                raise ConsentRefused(f"{user.name} cannot connect this organisation.")
            if self._connections.find(user.xero_user_id, tenant_id):
                raise ConsentRefused(f"{org.name} is already connected.")

    def _consent(self, request: AuthorizeRequest, user: XeroUser, tenant_ids: list[str]) -> str:
        event = self._grants.new_event()
        grant = self._grants.consent(user, request.scopes)
        for tenant_id in tenant_ids:
            self._connections.connect(user, tenant_id, event.id)
        code = self._grants.issue_code(
            grant,
            event,
            redirect_uri=request.redirect_uri,
            challenge=request.challenge,
            nonce=request.nonce,
        )
        return _callback(
            request,
            code=code.value,
            scope=" ".join(request.scopes),
            session_state=f"{event.session_id}.{event.id}",
        )


def _callback(request: AuthorizeRequest, **values: str) -> str:
    """Return the callback URL, with its parameters in Xero's order (facts §1.2, §1.3)."""
    session_state = values.pop("session_state", None)
    if request.state is not None:
        values["state"] = request.state
    if session_state is not None:
        values["session_state"] = session_state
    separator = "&" if "?" in request.redirect_uri else "?"
    return f"{request.redirect_uri}{separator}{urlencode(values, quote_via=quote)}"
