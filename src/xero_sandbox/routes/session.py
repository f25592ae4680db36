"""Routes of the session issuer: sign in as a sample person, mint short-lived session tokens."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException
from pydantic import Field

from xero_sandbox.json_model import JsonModel
from xero_sandbox.routes.dependencies import SandboxDep
from xero_sandbox.session_issuer import LIFETIME, NoSuchSession, NotAMember
from xero_sandbox.session_people import ORGS, PEOPLE, Person

router = APIRouter(prefix="/session", tags=["session issuer"])


class SignIn(JsonModel):
    """The person who signs in."""

    person_id: str = Field(
        description="An `id` of `GET /session/people`.", examples=["user_acme_admin"]
    )


class TokenOrder(JsonModel):
    """The contents of a token; `claims` and `header` override the usual ones, and null removes."""

    session_id: str = Field(
        description="The `sessionId` of the sign-in.", examples=["sess_5f0c6e1d2b7a4983"]
    )
    org_id: str | None = Field(
        default=None, description="The active org; null: none.", examples=["org_acme"]
    )
    version: Literal[1, 2] = Field(default=2, description="The version of Clerk's claims.")
    lifetime_seconds: int = Field(default=LIFETIME, description="The lifetime in seconds.")
    azp: str | None = Field(
        default=None,
        description="The authorized party; null: the request's `Origin`.",
        examples=["http://localhost:8000"],
    )
    claims: dict[str, Any] = Field(
        default_factory=dict, description="Claims to set; null removes a claim.", examples=[{}]
    )
    header: dict[str, Any] = Field(
        default_factory=dict,
        description="Header fields to set; null removes one.",
        examples=[{}],
    )


@router.get("/.well-known/jwks.json")
async def jwks(sandbox: SandboxDep) -> dict[str, Any]:
    """Return the session issuer's public keys."""
    return sandbox.session_issuer.keys.jwks()


@router.get("/people")
async def people() -> list[dict[str, Any]]:
    """List the sample people with their orgs and roles."""
    return [{**_person(person), "orgs": _orgs(person)} for person in PEOPLE.values()]


@router.post("/sign-in")
async def sign_in(body: SignIn, sandbox: SandboxDep) -> dict[str, Any]:
    """Open a session for a sample person."""
    try:
        session_id, person = sandbox.session_issuer.sign_in(body.person_id)
    except LookupError as error:
        raise HTTPException(404, "There is no such person.") from error
    return {"sessionId": session_id, "person": _person(person), "orgs": _orgs(person)}


@router.post("/tokens")
async def token(
    body: TokenOrder, sandbox: SandboxDep, origin: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    """Mint a token for one of the person's orgs, or for none."""
    try:
        minted, expires_at = sandbox.session_issuer.mint_token(
            body.session_id,
            org_id=body.org_id,
            version=body.version,
            azp=body.azp or origin,
            lifetime=body.lifetime_seconds,
            claims=body.claims,
            header=body.header,
        )
    except NoSuchSession as error:
        raise HTTPException(401, "There is no such session.") from error
    except NotAMember as error:
        raise HTTPException(403, "The person is not a member of that org.") from error
    return {"token": minted, "expiresAt": expires_at}


@router.delete("/sessions/{session_id}", status_code=204)
async def sign_out(session_id: str, sandbox: SandboxDep) -> None:
    """End a session."""
    sandbox.session_issuer.sign_out(session_id)


def _person(person: Person) -> dict[str, str]:
    return {"id": person.id, "name": person.name, "email": person.email}


def _orgs(person: Person) -> list[dict[str, str]]:
    return [
        {"id": org_id, "name": ORGS[org_id].name, "slug": ORGS[org_id].slug, "role": role}
        for org_id, role in person.roles.items()
    ]
