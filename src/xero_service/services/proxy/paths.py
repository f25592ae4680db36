"""Which paths the proxy sends to Xero: those below the API roots, however they are decoded.

Xero's servers are not ours, and each part of them may decode a path in a way of its own. So a
path is judged as a strict decoder reads it (RFC 3986, UTF-8) and as lax ones would: twice decoded,
with overlong UTF-8, with look-alikes for plain characters, with path parameters cut off. What is
sent are the caller's own bytes.
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
# The characters of a path as they are (RFC 3986 §3.3), without "@".
_PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:/%]*")
_QUERY = re.compile(r"[\x21-\x7e]*")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_PATH = 4096  # a file name has 255 characters, of at most twelve encoded ones each
_DECODED_AT_MOST = 4  # times; nobody's file name is encoded more often
_ENCODED = re.compile(r"%(?:[uU]([0-9A-Fa-f]{4})|([0-9A-Fa-f]{2}))")
_SEQUENCE = re.compile(
    r"[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}"
    r"|[\xf8-\xfb][\x80-\xbf]{4}|[\xfc-\xfd][\x80-\xbf]{5}"
)
# Slashes that NFKC leaves as they are and some conversions to a code page take for plain ones.
_SEPARATORS = re.compile("[/\\\\\u2044\u2215\u2216\u29f5\u29f8]")
_CUT = re.compile(r"[;?#\x00]")


def checked_target(path: str, query: str) -> str:
    """Return a path and query below Xero's API roots as they came; raises ForbiddenPath.

    Both are raw, not decoded: what is checked is what is sent.
    """
    if not path.startswith(API_ROOTS):
        raise ForbiddenPath(f"Only paths below {', '.join(API_ROOTS)} are reached from here.")
    if len(path) > _LONGEST_PATH:
        raise ForbiddenPath(f"The path is longer than {_LONGEST_PATH} bytes.")
    if not _PATH.fullmatch(path):
        raise ForbiddenPath("The path has a character that must be percent-encoded.")
    if not _QUERY.fullmatch(query):
        raise ForbiddenPath("The query has a character that must be percent-encoded.")
    decoded = _decoded(path, "path")
    _ = _decoded(query, "query")
    if "\\" in decoded:
        raise ForbiddenPath("The path has a backslash.")
    for reading in _readings(decoded):
        _judge(reading)
    return f"{path}?{query}" if query else path


def _decoded(encoded: str, name: str) -> str:
    """Decode once, strictly; Python's UTF-8 has neither overlong forms nor surrogates."""
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
    """Yield what decoders make of a path that was decoded once, decoding it again and again."""
    for _ in range(_DECODED_AT_MOST):
        reading = unicodedata.normalize("NFKC", decoded)
        yield reading
        decoded = _decoded_again(reading)
        if decoded == reading:
            return
    raise ForbiddenPath("The path is percent-encoded too many times.")


def _decoded_again(text: str) -> str:
    """Decode as the laxest would: %uXXXX too, and overlong forms of UTF-8."""
    octets = _ENCODED.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    return octets if octets == text else _SEQUENCE.sub(_code_point, octets)


def _code_point(sequence: re.Match[str]) -> str:
    first, *rest = map(ord, sequence[0])
    value = first & (0x3F >> len(rest))
    for each in rest:
        value = value << 6 | each & 0x3F
    return chr(value) if value <= 0x10FFFF else sequence[0]


def _judge(reading: str) -> None:
    *inner, last = _SEPARATORS.split(reading)
    for segment in [*inner, *([last] if last else [])]:
        if not _visible(segment):
            raise ForbiddenPath("The path has an empty segment.")
        name = _visible(_CUT.split(segment, maxsplit=1)[0].replace("+", " "))
        if name and not name.strip("."):
            raise ForbiddenPath("The path has a segment that some servers read as `.` or `..`.")


def _visible(segment: str) -> str:
    """Leave out white space and what is not seen, which some servers trim or drop."""
    return "".join(each for each in segment if unicodedata.category(each)[0] not in "ZC")
