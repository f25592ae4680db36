"""Authentication by a session token: who the user is, and what a route requires of the user."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from xero_service.api.callers import SessionCaller, actor_of, audit_denials
from xero_service.api.deps import ServicesDep
from xero_service.api.session_tokens import SessionVerifier
from xero_service.domain import Role, SessionUser
from xero_service.errors import (
    AdminRequired,
    AuthError,
    CrossSiteRefused,
    ImpersonationRefused,
    OrgRequired,
    SignInUnavailable,
)
from xero_service.telemetry.request_record import note_user
from xero_service.timeouts import ATTEMPT_LIFETIME
from xero_service.wiring import Services

SESSION_COOKIE = "__session"

session_bearer = HTTPBearer(
    scheme_name="session",
    bearerFormat="JWT",
    description="The session token of a person (Clerk, or any issuer with the same claims).",
    auto_error=False,
)
session_cookie = APIKeyCookie(
    name=SESSION_COOKIE,
    scheme_name="sessionCookie",
    description="Counts only where a browser navigates: start and callback.",
    auto_error=False,
)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(session_bearer)]
Cookie = Annotated[str | None, Security(session_cookie)]


# --- Who the user is -------------------------------------------------------------------------


def _verifier(wired: Services) -> SessionVerifier:
    settings = wired.settings
    return SessionVerifier(
        issuer=settings.auth_issuer,
        keys=wired.session_keys,
        authorized_parties=frozenset(settings.auth_authorized_parties),
        audience=settings.auth_audience,
    )


async def session_user(wired: ServicesDep, credentials: Bearer) -> SessionUser:
    """Return the user of the session token in the Authorization header; ignores the cookie."""
    if credentials is None:
        raise AuthError("Send a session token: Authorization: Bearer …")
    return await _identify(wired, credentials.credentials)


async def _identify(wired: Services, token: str) -> SessionUser:
    user = await _verifier(wired).verify(token)
    note_user(user.user_id, user.org_id)
    return user


async def navigating_user(
    request: Request, wired: ServicesDep, credentials: Bearer, cookie: Cookie
) -> SessionUser:
    """Return the user of the header or, for navigation within this site, of the cookie."""
    if credentials is not None or cookie is None:
        return await session_user(wired, credentials)
    user = await _identify(wired, cookie)
    with audit_user_denials(request, wired, user):
        if request.headers.get("sec-fetch-site", "").lower() == "cross-site":
            raise CrossSiteRefused("Open the settings page and connect from there.")
    return user


async def returning_user(wired: ServicesDep, cookie: Cookie) -> SessionUser | None:
    """Return the user of the cookie, also of one that expired while its user was at Xero.

    None without a cookie, or where its token is not genuine or cannot be verified now.
    """
    if cookie is None:
        return None
    try:
        return await _verifier(wired).identify_allowing_expired(
            cookie, expired_for_at_most=ATTEMPT_LIFETIME.total_seconds()
        )
    except (AuthError, SignInUnavailable):
        return None


def audit_user_denials(
    request: Request, wired: Services, user: SessionUser
) -> AbstractContextManager[None]:
    """As `audit_denials`, for a session user."""
    return audit_denials(request, wired, actor_of(request, user), user.org_id)


# --- What a route requires -------------------------------------------------------------------


def require_member(request: Request, user: SessionUser) -> SessionCaller:
    """Return the caller; raises OrgRequired without an active org."""
    if user.org_id is None:
        raise OrgRequired("Choose an organisation, then try again.")
    return SessionCaller(user.org_id, actor_of(request, user), user)


def require_admin(request: Request, user: SessionUser) -> SessionCaller:
    """Return the caller; raises OrgRequired, or AdminRequired without the admin role."""
    caller = require_member(request, user)
    if user.role is not Role.ADMIN:
        raise AdminRequired("Ask an admin of your organisation.")
    return caller


def require_admin_in_person(request: Request, user: SessionUser) -> SessionCaller:
    """As `require_admin`, for what changes connections; raises ImpersonationRefused, too."""
    caller = require_admin(request, user)
    if user.impersonator is not None:
        raise ImpersonationRefused("Sign in as yourself to change connections.")
    return caller


def session(
    require: Callable[[Request, SessionUser], SessionCaller],
    authenticate: Callable[..., Any] = session_user,
) -> Callable[..., AsyncIterator[SessionCaller]]:
    """Return the dependency that authenticates a session user and yields what `require` returns.

    Denials are audited: those of `require`, and those of the route.
    """

    async def dependency(
        request: Request, wired: ServicesDep, user: Annotated[SessionUser, Depends(authenticate)]
    ) -> AsyncIterator[SessionCaller]:
        with audit_user_denials(request, wired, user):
            yield require(request, user)

    return dependency


AdminDep = Annotated[SessionCaller, Depends(session(require_admin))]
AdminInPersonDep = Annotated[SessionCaller, Depends(session(require_admin_in_person))]
NavigatingAdminDep = Annotated[
    SessionCaller, Depends(session(require_admin_in_person, navigating_user))
]
ReturningDep = Annotated[SessionUser | None, Depends(returning_user)]
