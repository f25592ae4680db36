"""The errors of api.xero.com and the check of its bearer tokens (facts 1.10)."""

import json
import uuid
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import Request
from fastapi.responses import Response

from xero_sandbox import content_encoding
from xero_sandbox.clock import to_datetime
from xero_sandbox.state import SandboxState
from xero_sandbox.switches import Switches

_TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


class ApiProblem(Exception):
    """One failed API call, answered in Xero's shape."""

    def __init__(self, status: int, detail: str | None, headers: dict[str, str] | None = None):
        super().__init__(f"{status} {detail}")
        self.status = status
        self.detail = detail
        self.headers = headers or {}

    def response(self, request: Request, switches: Switches) -> Response:
        """Return the answer; `xero-correlation-id` equals the body's Instance.

        By the switches its body is missing, is XML unless JSON was asked for, or is packed.
        """
        instance = str(uuid.uuid4())
        headers = {"server": "Kestrel", "xero-correlation-id": instance, **self.headers}
        body: dict[str, Any] = {
            "Type": None,
            "Title": _TITLES[self.status],
            "Status": self.status,
            "Detail": self.detail,
            "Instance": instance,
            "Extensions": {},
        }
        if switches.error_keys == "lower":
            body = {name.lower(): value for name, value in body.items()}
        if switches.error_body == "empty":
            return Response(b"", self.status, headers)
        content, kind = json.dumps(body).encode(), "application/json"
        if switches.error_body == "accepted" and kind not in request.headers.get("accept", ""):
            content, kind = _xml(body), "text/xml"
        offered = request.headers.get("accept-encoding", "")
        if switches.error_encoding != "none":
            encoding = "br" if switches.error_encoding == "br" else content_encoding.choose(offered)
            content = content_encoding.encode(content, encoding)
            headers |= {"content-encoding": encoding} if encoding else {}
        return Response(content, self.status, headers, kind)


def _xml(body: dict[str, Any]) -> bytes:
    root = Element("ApiException")
    for name, value in body.items():
        SubElement(root, name).text = str(value or "")
    document: bytes = tostring(root, encoding="utf-8")
    return document


def bearer_claims(request: Request, sandbox: SandboxState) -> dict[str, Any]:
    """Return the claims of the request's token, or raise the 401 that fits."""
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
    """Return the 401 that no refresh will cure."""
    return ApiProblem(
        401, "AuthorizationUnsuccessful", {"www-authenticate": "Bearer error=insufficient_scope"}
    )


def _unauthenticated(detail: str) -> ApiProblem:
    return ApiProblem(401, detail, {"www-authenticate": "Bearer error=invalid_token"})
