"""Validate the path of a proxied call: below Xero's API roots, in every way it may be decoded.

Each of Xero's servers may decode a path differently. So a path is validated as a strict decoder
reads it (RFC 3986, UTF-8) and as lax ones do: decoded repeatedly, with overlong UTF-8, with
look-alikes of plain characters, with path parameters cut off. The caller's own bytes are sent.
"""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from xero_service.errors import ForbiddenPath

API_ROOTS = (
    "api.xro/",
    "payroll.xro/",
    "files.xro/",
    "assets.xro/",
    "projects.xro/",
    "bankfeeds.xro/",
    "finance.xro/",
)
# The characters of an undecoded path (RFC 3986 §3.3), without "@".
_PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:/%]*")
_QUERY = re.compile(r"[\x21-\x7e]*")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MAX_PATH = 4096  # a file name has 255 characters, of at most twelve encoded ones each
_MAX_DECODINGS = 4  # times; no real file name is encoded more often
_ENCODED = re.compile(r"%(?:[uU]([0-9A-Fa-f]{4})|([0-9A-Fa-f]{2}))")
_SEQUENCE = re.compile(
    r"[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}"
    r"|[\xf8-\xfb][\x80-\xbf]{4}|[\xfc-\xfd][\x80-\xbf]{5}"
)
# Slashes that NFKC keeps and that some conversions to a code page turn into plain ones.
_SEPARATORS = re.compile("[/\\\\\u2044\u2215\u2216\u29f5\u29f8]")
_CUT = re.compile(r"[;?#\x00]")


def validate_target(path: str, query: str) -> str:
    """Return path and query, unchanged, as the request target; raises ForbiddenPath.

    Both are raw, not decoded: the bytes that are validated are the bytes that are sent.
    """
    if not path.startswith(API_ROOTS):
        raise ForbiddenPath(f"Only paths below {', '.join(API_ROOTS)} are reached from here.")
    if len(path) > _MAX_PATH:
        raise ForbiddenPath(f"The path is longer than {_MAX_PATH} bytes.")
    if not _PATH.fullmatch(path):
        raise ForbiddenPath("The path has a character that must be percent-encoded.")
    if not _QUERY.fullmatch(query):
        raise ForbiddenPath("The query has a character that must be percent-encoded.")
    decoded = _decode_strictly(path, "path")
    _ = _decode_strictly(query, "query")
    if "\\" in decoded:
        raise ForbiddenPath("The path has a backslash.")
    for reading in _readings(decoded):
        _require_plain_segments(reading)
    return f"{path}?{query}" if query else path


def _decode_strictly(encoded: str, name: str) -> str:
    """Decode once; Python's UTF-8 accepts neither overlong forms nor surrogates."""
    if _LONE_PERCENT.search(encoded):
        raise ForbiddenPath(
            f"The {name} has a percent sign that encodes nothing: send %25 for the sign itself."
        )
    try:
        decoded = unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        raise ForbiddenPath(f"The {name} is not UTF-8 once it is decoded.") from None
    if _CONTROL.search(decoded):
        raise ForbiddenPath(f"The {name} has a control character.")
    return decoded


def _readings(decoded: str) -> Iterator[str]:
    """Yield a path as further rounds of decoding read it, until nothing changes."""
    for _ in range(_MAX_DECODINGS):
        reading = unicodedata.normalize("NFKC", decoded)
        yield reading
        decoded = _decode_laxly(reading)
        if decoded == reading:
            return
    raise ForbiddenPath("The path is percent-encoded too many times.")


def _decode_laxly(text: str) -> str:
    """Decode as the laxest servers do, with %uXXXX and overlong forms of UTF-8."""
    octets = _ENCODED.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    return octets if octets == text else _SEQUENCE.sub(_code_point, octets)


def _code_point(sequence: re.Match[str]) -> str:
    first, *rest = map(ord, sequence[0])
    value = first & (0x3F >> len(rest))
    for each in rest:
        value = value << 6 | each & 0x3F
    return chr(value) if value <= 0x10FFFF else sequence[0]


def _require_plain_segments(reading: str) -> None:
    *inner, last = _SEPARATORS.split(reading)
    for segment in [*inner, *([last] if last else [])]:
        if not _strip_invisible(segment):
            raise ForbiddenPath("The path has an empty segment.")
        name = _strip_invisible(_CUT.split(segment, maxsplit=1)[0].replace("+", " "))
        if name and not name.strip("."):
            raise ForbiddenPath("The path has a segment that some servers read as `.` or `..`.")


def _strip_invisible(segment: str) -> str:
    """Return the segment without white space and invisible characters, which some servers drop."""
    return "".join(each for each in segment if unicodedata.category(each)[0] not in "ZC")
