"""identity.xero.com: tokens, revocation, discovery, signing keys and userinfo."""

import base64
import binascii
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from xero_sandbox import scopes
from xero_sandbox.bearer_tokens import bearer_claims
from xero_sandbox.grants import InvalidGrant
from xero_sandbox.model import TokenSet
from xero_sandbox.problems import ApiProblem
from xero_sandbox.routes.dependencies import EntryDep, FormDep, SandboxDep
from xero_sandbox.state import SandboxState
from xero_sandbox.token_minting import ACCESS_LIFETIME, subject

router = APIRouter(prefix="/identity", tags=["identity"])

_NO_STORE = {
    "Cache-Control": "max-age=0, no-cache, no-store",
    "Xero-Origin-Id": "IdentityServer.Web",
}
_JSON = "application/json; charset=UTF-8"


@dataclass
class TokenRefused(Exception):
    """A 400 of the token endpoint. `invalid_grant` never has a description (facts §1.8)."""

    error: str
    description: str | None = None


@router.post("/connect/token")
async def token(request: Request, form: FormDep, sandbox: SandboxDep, entry: EntryDep) -> Response:
    """Exchange a code, rotate a refresh token, or issue an app-level token."""
    try:
        body = _issue(form, request, sandbox)
    except TokenRefused as refused:
        entry.outcome = refused.error
        description = {"error_description": refused.description} if refused.description else {}
        return _json({"error": refused.error} | description, 400)
    except InvalidGrant as refused:
        entry.outcome = f"invalid_grant: {refused}"
        return _json({"error": "invalid_grant"}, 400)
    entry.outcome = "issued"
    return _json(body, 200)


@router.post("/connect/revocation")
async def revocation(
    request: Request, form: FormDep, sandbox: SandboxDep, entry: EntryDep
) -> Response:
    """Revoke a refresh token's grant and its connections; an unknown token is 200 too."""
    try:
        _authenticate(form, request, sandbox)
    except TokenRefused as refused:
        entry.outcome = refused.error
        return _json({"error": refused.error}, 400)
    presented = form.get("token", "")
    if presented.count(".") == 2 and sandbox.minter.read(presented):
        entry.outcome = "access token refused"
        return _json(
            {
                "title": "Internal Server Error",
                "status": 500,
                "detail": "ReferenceTokenStore is not supported in Identity",
                "instance": f"0H{uuid.uuid4().hex[:11].upper()}",
            },
            500,
        )
    entry.outcome = "revoked" if sandbox.grants.revoke(presented) else "no effect"
    return Response(status_code=200, headers=_NO_STORE)


@router.get("/.well-known/openid-configuration")
async def discovery(sandbox: SandboxDep) -> dict[str, Any]:
    """Return the OpenID Connect discovery document."""
    issuer = sandbox.config.identity_issuer
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/openid-configuration/jwks",
        "authorization_endpoint": f"{sandbox.config.base_url}/login/identity/connect/authorize",
        "token_endpoint": f"{issuer}/connect/token",
        "userinfo_endpoint": f"{issuer}/connect/userinfo",
        "revocation_endpoint": f"{issuer}/connect/revocation",
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "scopes_supported": sorted(scopes.KNOWN),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


@router.get("/.well-known/openid-configuration/jwks")
async def jwks(sandbox: SandboxDep) -> dict[str, Any]:
    """Return the signing keys."""
    return sandbox.keys.jwks()


@router.get("/connect/userinfo")
async def userinfo(request: Request, sandbox: SandboxDep) -> Response:
    """Return the token's user; the format of Xero's own response is not known (facts §1)."""
    try:
        claims = bearer_claims(request, sandbox)
    except ApiProblem as problem:
        return problem.response(request, sandbox.switches)
    user = sandbox.directory.user(claims["xero_userid"])
    return _json(
        {
            "sub": subject(user),
            "name": user.name,
            "given_name": user.given_name,
            "family_name": user.family_name,
            "email": user.email,
            "xero_userid": user.xero_user_id,
        },
        200,
    )


def _issue(form: dict[str, str], request: Request, sandbox: SandboxState) -> dict[str, Any]:
    grant_type = form.get("grant_type")
    if grant_type not in (
        "authorization_code",
        "refresh_token",
        "client_credentials",
    ):
        raise TokenRefused("unsupported_grant_type")
    _authenticate(form, request, sandbox)
    if grant_type == "client_credentials":
        return _app_token(form, sandbox)
    if grant_type == "refresh_token":
        return _to_json(sandbox.grants.refresh(form.get("refresh_token", "")), sandbox)
    return _to_json(
        sandbox.grants.exchange(
            form.get("code", ""),
            redirect_uri=form.get("redirect_uri", ""),
            verifier=form.get("code_verifier"),
        ),
        sandbox,
    )


def _app_token(form: dict[str, str], sandbox: SandboxState) -> dict[str, Any]:
    """Return a token for `app.connections`, which PKCE apps cannot have (facts §5)."""
    if sandbox.config.app_type == "pkce":
        raise TokenRefused("unauthorized_client")
    if form.get("scope", "").split() != [scopes.APP_CONNECTIONS]:
        raise TokenRefused("invalid_scope", "Client credentials scope validation failed")
    return {
        "access_token": sandbox.minter.app_token([scopes.APP_CONNECTIONS]),
        "expires_in": ACCESS_LIFETIME,
        "token_type": "Bearer",
        "scope": scopes.APP_CONNECTIONS,
    }


def _authenticate(form: dict[str, str], request: Request, sandbox: SandboxState) -> None:
    """Check the credentials, in a Basic header or in the form; raises TokenRefused.

    A PKCE app sends its client id and no secret (facts §1.5).
    """
    basic = request.headers.get("authorization", "")
    if basic.lower().startswith("basic "):
        presented = _basic_pair(basic[6:])
    else:
        presented = form.get("client_id", ""), form.get("client_secret", "")
    secret = "" if sandbox.config.app_type == "pkce" else sandbox.config.client_secret
    # RFC 6749 requires both parts of Basic to be form-encoded; some clients do not do that.
    if (sandbox.config.client_id, secret) not in (
        presented,
        tuple(map(unquote_plus, presented)),
    ):
        raise TokenRefused("invalid_client")


def _basic_pair(encoded: str) -> tuple[str, str]:
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


def _to_json(tokens: TokenSet, sandbox: SandboxState) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id_token": tokens.id_token,
        "access_token": tokens.access_token,
        "expires_in": ACCESS_LIFETIME,
        "token_type": "Bearer",
        "refresh_token": tokens.refresh_token,
        "scope": tokens.scope,
    }
    body = {name: value for name, value in body.items() if value is not None}
    match sandbox.switches.expires_in:
        case "float":
            body["expires_in"] = float(ACCESS_LIFETIME)
        case "text":
            body["expires_in"] = str(ACCESS_LIFETIME)
        case "padded_text":
            body["expires_in"] = f" {ACCESS_LIFETIME} "
        case "null":
            body["expires_in"] = None
        case "absent":
            del body["expires_in"]
    return body


def _json(body: dict[str, Any], status: int) -> Response:
    return JSONResponse(body, status, _NO_STORE, media_type=_JSON)
