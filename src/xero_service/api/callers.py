"""The authenticated caller of a request, as routers and the audit log know it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request

from xero_service.api.application import PREFIX
from xero_service.api.source import source_of
from xero_service.domain import Actor, SessionUser
from xero_service.errors import DENIALS
from xero_service.wiring import Services


@dataclass(frozen=True, slots=True)
class Caller:
    """The org that a request acts for, and the actor that the audit log names."""

    org_id: str
    actor: Actor

    @property
    def user_id(self) -> str | None:
        """The session user's id; None for a service key."""
        return self.actor.id if self.actor.kind == "user" else None


@dataclass(frozen=True, slots=True)
class SessionCaller(Caller):
    """A session user with an active org."""

    user: SessionUser


def actor_of(request: Request, user: SessionUser | None) -> Actor:
    """Return the actor for the audit log, with the request's id and source address."""
    return Actor(
        kind="user" if user else "system",
        id=user.user_id if user else "anonymous",
        impersonator=user.impersonator if user else None,
        request_id=request.scope.get("request_id"),
        source=source_of(request.scope),
    )


@contextmanager
def audit_denials(
    request: Request, wired: Services, actor: Actor, org_id: str | None, *, key: str | None = None
) -> Iterator[None]:
    """Record in the audit log each denial that the block raises to a known caller.

    `key`: the name of the caller's service key, if it has one.
    """
    try:
        yield
    except DENIALS as error:
        path = getattr(request.scope.get("route"), "path", request.url.path)
        operation = f"{request.method} {path.removeprefix(PREFIX)}"
        wired.authorizer.note_denial(actor, org_id, error, operation, key=key)
        raise
