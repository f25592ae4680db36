"""Error responses of api.xero.com (facts §1.10)."""

import json
import uuid
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import Request
from fastapi.responses import Response

from xero_sandbox import content_encoding
from xero_sandbox.switches import Switches

_TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


class ApiProblem(Exception):
    """A failed API call, with the status and detail of Xero's error body."""

    def __init__(self, status: int, detail: str | None, headers: dict[str, str] | None = None):
        super().__init__(f"{status} {detail}")
        self.status = status
        self.detail = detail
        self.headers = headers or {}

    def response(self, request: Request, switches: Switches) -> Response:
        """Return the HTTP response; its `xero-correlation-id` equals the body's Instance.

        The switches can make the body empty, XML (unless the request accepts JSON) or encoded.
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
        accepted = request.headers.get("accept-encoding", "")
        if switches.error_encoding != "none":
            encoding = (
                "br" if switches.error_encoding == "br" else content_encoding.choose(accepted)
            )
            content = content_encoding.encode(content, encoding)
            headers |= {"content-encoding": encoding} if encoding else {}
        return Response(content, self.status, headers, kind)


def _xml(body: dict[str, Any]) -> bytes:
    root = Element("ApiException")
    for name, value in body.items():
        SubElement(root, name).text = str(value or "")
    document: bytes = tostring(root, encoding="utf-8")
    return document
