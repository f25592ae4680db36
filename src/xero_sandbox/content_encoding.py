"""Content codings of answers (RFC 9110 §8.4.1): which a caller takes, and how each is written."""

import gzip
import zlib

_BROTLI_BLOCK = 1 << 16


def choose(accepted: str) -> str:
    """Return the coding that Xero's edge would choose from Accept-Encoding; "" for none."""
    named = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    return next((each for each in ("br", "gzip", "deflate") if each in named), "")


def encode(content: bytes, encoding: str) -> bytes:
    """Encode content."""
    match encoding:
        case "br":
            return _brotli(content)
        case "gzip":
            return gzip.compress(content)
        case "deflate":
            return zlib.compress(content)
    return content


def _brotli(content: bytes) -> bytes:
    """Write a valid Brotli stream without compressing (RFC 7932 §9.2): blocks stored as they are.

    So nobody needs a library to be told something in an encoding that most cannot read.
    """
    stream = bytearray()
    for start in range(0, len(content), _BROTLI_BLOCK):
        block = content[start : start + _BROTLI_BLOCK]
        # From the lowest bit: window of 16 bits (the stream's first only), not the last block,
        # four nibbles of length, the length less one, stored.
        bits, size = (len(block) - 1) << 3 | 1 << 19, 20
        if start == 0:
            bits, size = bits << 1, size + 1
        stream += bits.to_bytes((size + 7) // 8, "little") + block
    return bytes(stream) + b"\x03" if stream else b"\x06"
