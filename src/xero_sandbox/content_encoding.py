"""Content codings of responses (RFC 9110 §8.4.1): selection and encoding."""

import gzip
import zlib

_BROTLI_BLOCK = 1 << 16


def choose(accepted: str) -> str:
    """Return the coding that Xero would choose for this Accept-Encoding; "" if none."""
    named = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    return next((each for each in ("br", "gzip", "deflate") if each in named), "")


def encode(content: bytes, encoding: str) -> bytes:
    """Return the content in this coding; unchanged for ""."""
    match encoding:
        case "br":
            return _brotli(content)
        case "gzip":
            return gzip.compress(content)
        case "deflate":
            return zlib.compress(content)
    return content


def _brotli(content: bytes) -> bytes:
    """Return a valid Brotli stream of uncompressed blocks (RFC 7932 §9.2).

    That is enough to test callers that cannot read Brotli, and needs no library.
    """
    stream = bytearray()
    for start in range(0, len(content), _BROTLI_BLOCK):
        block = content[start : start + _BROTLI_BLOCK]
        # From the lowest bit: window size 16 (first block only), ISLAST = 0, MNIBBLES = 4,
        # MLEN - 1, ISUNCOMPRESSED = 1.
        bits, size = (len(block) - 1) << 3 | 1 << 19, 20
        if start == 0:
            bits, size = bits << 1, size + 1
        stream += bits.to_bytes((size + 7) // 8, "little") + block
    return bytes(stream) + b"\x03" if stream else b"\x06"
