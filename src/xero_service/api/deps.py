"""What routers ask for: the services, the principal, and the actor for the audit log."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from pydantic import StringConstraints
from starlette.types import Scope as HttpScope

from xero_service.api import examples
from xero_service.api.principals import SessionVerifier
from xero_service.domain import Actor, Role, Scope, SessionUser
from xero_service.errors import (
    DENIALS,
    AdminRequired,
    AuthError,
    CrossSiteRefused,
    ImpersonationRefused,
    OrgRequired,
    SignInUnavailable,
)
from xero_service.services.service_keys.authorization import ServiceCredentials
from xero_service.services.service_keys.keys import PREFIX as KEY_PREFIX
from xero_service.timeouts import ATTEMPT_LIFETIME
from xero_service.wiring import Services

SESSION_COOKIE = "__session"
ORG_ID_AT_MOST = 100

session_bearer = HTTPBearer(
    scheme_name="session",
    bearerFormat="JWT",
    description="The session token of a person (Clerk, or any issuer with the same claims).",
    auto_error=False,
)
key_bearer = HTTPBearer(
    scheme_name="serviceKey",
    bearerFormat="xsk_…",
    description="The key of an internal service, made with `xero-service keys create`.",
    auto_error=False,
)
session_cookie = APIKeyCookie(
    name=SESSION_COOKIE,
    scheme_name="sessionCookie",
    description="Counts only where a browser navigates: start and callback.",
    auto_error=False,
)


async def services(request: Request) -> Services:
    """Return what the application was wired with; async, or each call would cost a thread hop."""
    wired = request.app.state.services
    assert isinstance(wired, Services)  # noqa: S101 - set by the lifespan
    return wired


ServicesDep = Annotated[Services, Depends(services)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(session_bearer)]
KeyBearer = Annotated[HTTPAuthorizationCredentials | None, Security(key_bearer)]
OrgId = Annotated[str, StringConstraints(max_length=ORG_ID_AT_MOST, pattern=r"^[!-~]*$")]
OrgHeader = Annotated[
    OrgId | None,
    Header(
        alias="X-Org-Id",
        description="Which org a key for all orgs acts for; other callers leave it out.",
        examples=[examples.ORG],
    ),
]
BindingPath = Annotated[
    UUID,
    Path(
        description="The binding: the `id` of one of `GET /bindings`.", examples=[examples.BINDING]
    ),
]
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
    user = await _verifier(wired).verify(cookie)
    with _user_denials_noted(request, wired, user):
        if request.headers.get("sec-fetch-site", "").lower() == "cross-site":
            raise CrossSiteRefused("Open the settings page and connect from there.")
    return user


async def returning_user(wired: ServicesDep, cookie: Cookie) -> SessionUser | None:
    """Return who the cookie speaks for, even if it expired while its user was at Xero.

    None where there is no cookie, or none that can be believed.
    """
    if cookie is None:
        return None
    try:
        return await _verifier(wired).identify_allowing_expired(
            cookie, expired_for_at_most=ATTEMPT_LIFETIME.total_seconds()
        )
    except (AuthError, SignInUnavailable):
        return None


SessionDep = Annotated[SessionUser, Depends(session_user)]
NavigatingDep = Annotated[SessionUser, Depends(navigating_user)]
ReturningDep = Annotated[SessionUser | None, Depends(returning_user)]


@dataclass(frozen=True, slots=True)
class Caller:
    """An org that something is done for, and who the audit log names for it."""

    org_id: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class SessionCaller(Caller):
    """A session user with an active org."""

    user: SessionUser


def source_of(scope: HttpScope) -> str | None:
    """Return the address that a request came from; None where what a proxy said is none.

    It goes on record, so it must not be a text of whoever asks; a zone (RFC 4007) is left out,
    which may be any text.
    """
    client = scope.get("client")
    return _address(client[0]) if client else None


@lru_cache(maxsize=1000)
def _address(text: str) -> str | None:
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def actor_of(request: Request, user: SessionUser | None) -> Actor:
    """Name who acts, with the request and the address it came from."""
    return Actor(
        kind="user" if user else "system",
        id=user.user_id if user else "anonymous",
        impersonator=user.impersonator if user else None,
        request_id=request.scope.get("request_id"),
        source=source_of(request.scope),
    )


@contextmanager
def _denials_noted(
    request: Request, wired: Services, actor: Actor, org_id: str | None, *, key: str | None = None
) -> Iterator[None]:
    """Audit that somebody known was refused: by who they are, or by what they asked for."""
    try:
        yield
    except DENIALS as error:
        path = getattr(request.scope.get("route"), "path", request.url.path)
        wired.authorizer.note_denial(actor, org_id, error, f"{request.method} {path}", key=key)
        raise


def _user_denials_noted(
    request: Request, wired: Services, user: SessionUser
) -> AbstractContextManager[None]:
    return _denials_noted(request, wired, actor_of(request, user), user.org_id)


async def admin(
    request: Request, wired: ServicesDep, user: SessionDep
) -> AsyncIterator[SessionCaller]:
    """Require the admin role in the active org."""
    with _user_denials_noted(request, wired, user):
        yield _as_admin(_in_org(request, user))


async def acting_admin(
    request: Request, wired: ServicesDep, user: SessionDep
) -> AsyncIterator[SessionCaller]:
    """Require an admin in person, for what changes connections."""
    with _user_denials_noted(request, wired, user):
        yield _in_person(_as_admin(_in_org(request, user)))


async def navigating_admin(
    request: Request, wired: ServicesDep, user: NavigatingDep
) -> AsyncIterator[SessionCaller]:
    """Require an admin in person who may navigate here by cookie."""
    with _user_denials_noted(request, wired, user):
        yield _in_person(_as_admin(_in_org(request, user)))


async def member(
    request: Request, wired: ServicesDep, user: SessionDep
) -> AsyncIterator[SessionCaller]:
    """Require an active org."""
    with _user_denials_noted(request, wired, user):
        yield _in_org(request, user)


def _in_org(request: Request, user: SessionUser) -> SessionCaller:
    if user.org_id is None:
        raise OrgRequired("Choose an organisation, then try again.")
    return SessionCaller(user.org_id, actor_of(request, user), user)


def _as_admin(caller: SessionCaller) -> SessionCaller:
    if caller.user.role is not Role.ADMIN:
        raise AdminRequired("Ask an admin of your organisation.")
    return caller


def _in_person(caller: SessionCaller) -> SessionCaller:
    if caller.user.impersonator is not None:
        raise ImpersonationRefused("Sign in as yourself to change connections.")
    return caller


AdminDep = Annotated[SessionCaller, Depends(admin)]
ActingAdminDep = Annotated[SessionCaller, Depends(acting_admin)]
NavigatingAdminDep = Annotated[SessionCaller, Depends(navigating_admin)]


# --- Internal services ---------------------------------------------------------------------


def credentials_in(scope: HttpScope, text: str, org_id: str | None) -> ServiceCredentials:
    """Return the key that a request presents, with the id of the request and where it is from."""
    return ServiceCredentials(text, org_id, scope.get("request_id"), source_of(scope))


async def service_credentials(
    request: Request, credentials: KeyBearer, org_id: OrgHeader = None
) -> ServiceCredentials:
    """Require a service key; whether it is good is decided together with what it asks for."""
    if credentials is None:
        raise AuthError("Send a service key: Authorization: Bearer xsk_…")
    return credentials_in(request.scope, credentials.credentials, org_id)


CredentialsDep = Annotated[ServiceCredentials, Depends(service_credentials)]


@asynccontextmanager
async def _key_or_user(
    request: Request,
    wired: Services,
    token: HTTPAuthorizationCredentials | None,
    key: HTTPAuthorizationCredentials | None,
    org_id: str | None,
    scope: Scope,
) -> AsyncIterator[Caller | SessionUser]:
    """Yield the caller of a key with `scope`, or the user of a session; note what is denied."""
    if key is None or not key.credentials.startswith(KEY_PREFIX):
        user = await session_user(wired, token)
        with _user_denials_noted(request, wired, user):
            yield user
        return
    credentials = credentials_in(request.scope, key.credentials, org_id)
    record, acting_org = await wired.authorizer.acting_org(credentials, scope)
    caller = Caller(acting_org, credentials.actor(record.id))
    with _denials_noted(request, wired, caller.actor, acting_org, key=record.name):
        yield caller


async def bindings_reader(
    request: Request, wired: ServicesDep, token: Bearer, key: KeyBearer, org_id: OrgHeader = None
) -> AsyncIterator[Caller]:
    """Require a member of the org, or a key with `bindings:read`."""
    async with _key_or_user(request, wired, token, key, org_id, Scope.BINDINGS_READ) as known:
        yield known if isinstance(known, Caller) else _in_org(request, known)


async def bindings_writer(
    request: Request, wired: ServicesDep, token: Bearer, key: KeyBearer, org_id: OrgHeader = None
) -> AsyncIterator[Caller]:
    """Require an admin of the org in person, or a key with `bindings:write`."""
    async with _key_or_user(request, wired, token, key, org_id, Scope.BINDINGS_WRITE) as known:
        yield (
            known if isinstance(known, Caller) else _in_person(_as_admin(_in_org(request, known)))
        )


async def activity_reader(
    request: Request, wired: ServicesDep, token: Bearer, key: KeyBearer, org_id: OrgHeader = None
) -> AsyncIterator[Caller]:
    """Require an admin of the org, or a key with `activity:read`."""
    async with _key_or_user(request, wired, token, key, org_id, Scope.ACTIVITY_READ) as known:
        yield known if isinstance(known, Caller) else _as_admin(_in_org(request, known))


async def org_to_refresh(
    request: Request, wired: ServicesDep, token: Bearer, key: KeyBearer, org_id: OrgHeader = None
) -> AsyncIterator[str | None]:
    """Yield the org of a session, if it has one, or of a key with `grants:refresh`."""
    async with _key_or_user(request, wired, token, key, org_id, Scope.GRANTS_REFRESH) as known:
        yield known.org_id


BindingsReaderDep = Annotated[Caller, Depends(bindings_reader)]
BindingsWriterDep = Annotated[Caller, Depends(bindings_writer)]
ActivityReaderDep = Annotated[Caller, Depends(activity_reader)]
OrgToRefreshDep = Annotated[str | None, Depends(org_to_refresh)]
