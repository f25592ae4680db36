"""Authentication by a service key, for routes of services and for routes that take either."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials
from pydantic import StringConstraints

from xero_service.api import examples
from xero_service.api.callers import Caller, audit_denials
from xero_service.api.deps import ServicesDep
from xero_service.api.session_auth import (
    Bearer,
    audit_user_denials,
    require_admin,
    require_admin_in_person,
    require_member,
    session_user,
)
from xero_service.api.source import source_of
from xero_service.domain import Scope, SessionUser
from xero_service.errors import AuthError
from xero_service.services.service_keys.authorization import ServiceCredentials
from xero_service.services.service_keys.keys import PREFIX as KEY_PREFIX

MAX_ORG_ID_LENGTH = 100

key_bearer = HTTPBearer(
    scheme_name="serviceKey",
    bearerFormat="xsk_…",
    description="The key of an internal service, made with `xero-service keys create`.",
    auto_error=False,
)
KeyBearer = Annotated[HTTPAuthorizationCredentials | None, Security(key_bearer)]
OrgId = Annotated[str, StringConstraints(max_length=MAX_ORG_ID_LENGTH, pattern=r"^[!-~]*$")]
OrgHeader = Annotated[
    OrgId | None,
    Header(
        alias="X-Org-Id",
        description="Which org a key for all orgs acts for; other callers leave it out.",
        examples=[examples.ORG],
    ),
]


async def service_credentials(
    request: Request, credentials: KeyBearer, org_id: OrgHeader = None
) -> ServiceCredentials:
    """Return the key of the request; the use case authorizes it, in its own statement."""
    if credentials is None:
        raise AuthError("Send a service key: Authorization: Bearer xsk_…")
    return _credentials(request, credentials, org_id)


def _credentials(
    request: Request, bearer: HTTPAuthorizationCredentials, org_id: str | None
) -> ServiceCredentials:
    return ServiceCredentials(
        bearer.credentials, org_id, request.scope.get("request_id"), source_of(request.scope)
    )


CredentialsDep = Annotated[ServiceCredentials, Depends(service_credentials)]


def session_or_key(
    require: Callable[[Request, SessionUser], Caller | SessionUser], scope: Scope
) -> Callable[..., AsyncIterator[Caller | SessionUser]]:
    """Return a dependency that yields the caller of a session or of a key with `scope`.

    `require` returns the caller of a session, or raises. Denials are audited: those of `require`
    and of the route.
    """

    async def dependency(
        request: Request,
        wired: ServicesDep,
        token: Bearer,
        key: KeyBearer,
        org_id: OrgHeader = None,
    ) -> AsyncIterator[Caller | SessionUser]:
        if key is None or not key.credentials.startswith(KEY_PREFIX):
            user = await session_user(wired, token)
            with audit_user_denials(request, wired, user):
                yield require(request, user)
            return
        credentials = _credentials(request, key, org_id)
        record, acting_org = await wired.authorizer.acting_org(credentials, scope)
        caller = Caller(acting_org, credentials.actor(record.id))
        with audit_denials(request, wired, caller.actor, acting_org, key=record.name):
            yield caller

    return dependency


async def event_reader(
    request: Request, wired: ServicesDep, credentials: CredentialsDep
) -> AsyncIterator[Caller]:
    """Yield the caller of a service key that may read events; its denials are audited."""
    record, acting_org = await wired.authorizer.acting_org(credentials, Scope.EVENTS_READ)
    caller = Caller(acting_org, credentials.actor(record.id))
    with audit_denials(request, wired, caller.actor, acting_org, key=record.name):
        yield caller


def _any_user(_: Request, user: SessionUser) -> SessionUser:
    return user


BindingsReaderDep = Annotated[Caller, Depends(session_or_key(require_member, Scope.BINDINGS_READ))]
BindingsWriterDep = Annotated[
    Caller, Depends(session_or_key(require_admin_in_person, Scope.BINDINGS_WRITE))
]
ActivityReaderDep = Annotated[Caller, Depends(session_or_key(require_admin, Scope.ACTIVITY_READ))]
EventReaderDep = Annotated[Caller, Depends(event_reader)]
# A user without an active org has nothing to refresh, which is no error.
RefresherDep = Annotated[
    Caller | SessionUser, Depends(session_or_key(_any_user, Scope.GRANTS_REFRESH))
]
