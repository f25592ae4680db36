"""What routers ask for: the services, the principal, and the actor for the audit log."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from xero_service.api.principals import SessionVerifier
from xero_service.domain import Actor, Role, SessionUser
from xero_service.errors import (
    AdminRequired,
    AuthError,
    CrossSiteRefused,
    ImpersonationRefused,
    OrgRequired,
    SignInUnavailable,
)
from xero_service.services.connect import ATTEMPT_LIFETIME
from xero_service.wiring import Services

SESSION_COOKIE = "__session"

bearer = HTTPBearer(
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


def services(request: Request) -> Services:
    """Return what the application was wired with."""
    wired = request.app.state.services
    assert isinstance(wired, Services)  # noqa: S101 - set by the lifespan
    return wired


ServicesDep = Annotated[Services, Depends(services)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
Cookie = Annotated[str | None, Security(session_cookie)]


def _verifier(wired: Services) -> SessionVerifier:
    settings = wired.settings
    return SessionVerifier(
        issuer=settings.auth_issuer,
        keys=wired.session_keys,
        authorized_parties=frozenset(settings.auth_authorized_parties),
        audience=settings.auth_audience,
    )


async def session_user(wired: ServicesDep, credentials: Bearer) -> SessionUser:
    """Require a session token in the Authorization header; a cookie proves nothing here."""
    if credentials is None:
        raise AuthError("Send a session token: Authorization: Bearer …")
    return await _verifier(wired).verify(credentials.credentials)


async def navigating_user(
    request: Request, wired: ServicesDep, credentials: Bearer, cookie: Cookie
) -> SessionUser:
    """Accept the header or, for a browser that navigates within this site, the cookie."""
    if credentials is not None or cookie is None:
        return await session_user(wired, credentials)
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise CrossSiteRefused("Open the settings page and connect from there.")
    return await _verifier(wired).verify(cookie)


async def returning_user(wired: ServicesDep, cookie: Cookie) -> SessionUser | None:
    """Return who the cookie speaks for, even if it expired while its user was at Xero.

    None where there is no cookie, or none that can be believed.
    """
    if cookie is None:
        return None
    try:
        return await _verifier(wired).verify(
            cookie, expired_for_at_most=ATTEMPT_LIFETIME.total_seconds()
        )
    except (AuthError, SignInUnavailable):
        return None


SessionDep = Annotated[SessionUser, Depends(session_user)]
NavigatingDep = Annotated[SessionUser, Depends(navigating_user)]
ReturningDep = Annotated[SessionUser | None, Depends(returning_user)]


@dataclass(frozen=True, slots=True)
class Caller:
    """A session user with an active org, and how the audit log names them."""

    user: SessionUser
    org_id: str
    actor: Actor


def actor_of(request: Request, user: SessionUser | None) -> Actor:
    """Name who acts, with the request and the address it came from."""
    return Actor(
        kind="user" if user else "system",
        id=user.user_id if user else "anonymous",
        impersonator=user.impersonator if user else None,
        request_id=request.scope.get("request_id"),
        source=request.client.host if request.client else None,
    )


async def member(request: Request, user: SessionDep) -> Caller:
    """Require an active org; any role."""
    return _in_org(request, user)


async def admin(request: Request, user: SessionDep) -> Caller:
    """Require the admin role in the active org."""
    return _as_admin(_in_org(request, user))


async def acting_admin(request: Request, user: SessionDep) -> Caller:
    """Require an admin in person, for what changes connections."""
    return _in_person(_as_admin(_in_org(request, user)))


async def navigating_admin(request: Request, user: NavigatingDep) -> Caller:
    """Require an admin in person who may navigate here by cookie."""
    return _in_person(_as_admin(_in_org(request, user)))


def _in_org(request: Request, user: SessionUser) -> Caller:
    if user.org_id is None:
        raise OrgRequired("Choose an organisation, then try again.")
    return Caller(user, user.org_id, actor_of(request, user))


def _as_admin(caller: Caller) -> Caller:
    if caller.user.role is not Role.ADMIN:
        raise AdminRequired("Ask an admin of your organisation.")
    return caller


def _in_person(caller: Caller) -> Caller:
    if caller.user.impersonator is not None:
        raise ImpersonationRefused("Sign in as yourself to change connections.")
    return caller


MemberDep = Annotated[Caller, Depends(member)]
AdminDep = Annotated[Caller, Depends(admin)]
ActingAdminDep = Annotated[Caller, Depends(acting_admin)]
NavigatingAdminDep = Annotated[Caller, Depends(navigating_admin)]
