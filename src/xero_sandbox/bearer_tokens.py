"""Authenticates calls to api.xero.com by their bearer token (facts §1.10)."""

from typing import Any

from fastapi import Request

from xero_sandbox.clock import to_datetime
from xero_sandbox.problems import ApiProblem
from xero_sandbox.state import SandboxState


def bearer_claims(request: Request, sandbox: SandboxState) -> dict[str, Any]:
    """Return the claims of the request's access token; raises an ApiProblem with status 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    claims = sandbox.minter.read(token.strip()) if scheme.lower() == "bearer" else None
    if claims is None:
        raise _unauthenticated("AuthenticationUnsuccessful")
    if sandbox.clock.now() >= claims["exp"]:
        when = to_datetime(claims["exp"]).strftime("%m/%d/%Y %H:%M:%S")
        raise _unauthenticated(f"TokenExpired: token expired at {when}")
    if sandbox.grants.is_refused(claims["jti"]):
        raise _unauthenticated("AuthenticationUnsuccessful")
    grant = sandbox.grants.find_by_jti(claims["jti"])
    if grant is not None and grant.revoked and sandbox.switches.jwt_after_revoke == "rejected":
        raise _unauthenticated("AuthenticationUnsuccessful")
    return claims


def missing_scope() -> ApiProblem:
    """Return the 401 for a missing scope, which a token refresh does not solve."""
    return ApiProblem(
        401, "AuthorizationUnsuccessful", {"www-authenticate": "Bearer error=insufficient_scope"}
    )


def _unauthenticated(detail: str) -> ApiProblem:
    return ApiProblem(401, detail, {"www-authenticate": "Bearer error=invalid_token"})
