"""Content negotiation, and the detection of requests that are not a person's visit."""

from starlette.requests import Request


def prefers_html(request: Request) -> bool:
    """Whether the Accept header prefers HTML to JSON, as in a navigation (RFC 9110 §12.5.1)."""
    accepted = request.headers.get("accept", "*/*")
    return _quality(accepted, "text/html") > _quality(accepted, "application/json")


def _quality(accepted: str, media_type: str) -> float:
    """Return the weight of a media type by the most specific range that matches."""
    kind = media_type.split("/", 1)[0]
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weights[name] = float(weight)
        except ValueError:
            weights[name] = 0.0
    for name in (media_type, f"{kind}/*", "*/*"):
        if name in weights:
            return weights[name]
    return 0.0


def is_speculative(request: Request) -> bool:
    """Whether the request is a HEAD or a prefetch, which must change nothing."""
    purpose = " ".join(
        request.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-moz", "x-purpose")
    )
    return request.method == "HEAD" or "prefetch" in purpose or "preview" in purpose


def is_json(request: Request) -> bool:
    """Whether the Content-Type header names JSON, or a type that is JSON too (`…+json`)."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind, _, subtype = media_type.partition("/")
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))
