"""Seal and open secrets: AES-256-GCM, as `iv:authTag:encryptedData` in hex.

Node's `crypto.createCipheriv('aes-256-gcm')` produces the same parts, so values that either side
seals open on the other.
"""

import hashlib
import os
from binascii import unhexlify
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from xero_service.errors import CiphertextUnreadable

IV_BYTES = 12  # NIST SP 800-38D §8.2.2: a random IV of 96 bits
OLDER_IV_BYTES = 16  # of values sealed elsewhere; they open, too
KEY_BYTES = 32
TAG_BYTES = 16


class KeyRing:
    """Seals with the current key; opens with it and with any number of older keys."""

    def __init__(
        self,
        current: bytes,
        previous: tuple[bytes, ...] = (),
        *,
        alarm: Callable[[str], None] = lambda context: None,  # noqa: ARG005
    ) -> None:
        """Keys have 32 bytes (AES-256); raises ValueError for any other size.

        `alarm` is called with the context of a value that does not open, which means a wrong key
        or altered data.
        """
        if any(len(key) != KEY_BYTES for key in (current, *previous)):
            raise ValueError("An AES-256 key has 32 bytes.")
        self._ciphers = [AESGCM(key) for key in (current, *previous)]
        self._alarm = alarm

    def __repr__(self) -> str:
        return f"KeyRing({len(self._ciphers)} keys)"

    def encrypt_token(self, text: str, context: str = "") -> str:
        """Seal `text` with the current key, bound to `context` (row and column)."""
        iv = os.urandom(IV_BYTES)
        sealed = self._ciphers[0].encrypt(iv, text.encode(), context.encode() or None)
        data, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        return f"{iv.hex()}:{tag.hex()}:{data.hex()}"

    def decrypt_token(self, text: str, context: str = "") -> str:
        """Open what `encrypt_token` sealed for the same `context`, with any key of the ring.

        Raises the same CiphertextUnreadable for a wrong key, another context, an altered byte and a
        malformed text, so that an attacker learns nothing from it.
        """
        for cipher in self._ciphers:
            opened = _open(cipher, text, context)
            if opened is not None:
                return opened
        self._alarm(context)
        raise CiphertextUnreadable

    def opens(self, text: str, context: str = "") -> bool:
        """Return whether any key of the ring opens `text`, without an alarm."""
        return any(_open(cipher, text, context) is not None for cipher in self._ciphers)

    def is_current(self, text: str, context: str = "") -> bool:
        """Return whether `text` is sealed with the current key."""
        return _open(self._ciphers[0], text, context) is not None


def _open(cipher: AESGCM, text: str, context: str) -> str | None:
    try:
        iv, tag, data = map(unhexlify, text.split(":"))
        if len(iv) not in (IV_BYTES, OLDER_IV_BYTES) or len(tag) != TAG_BYTES:
            return None
        return cipher.decrypt(iv, data + tag, context.encode() or None).decode()
    except (InvalidTag, ValueError):  # not three parts, no hex, half a byte, or no UTF-8
        return None


def derive_key(secret: bytes, context: str) -> bytes:
    """Return the key of 256 bits that HKDF (RFC 5869, SHA-256) derives for one purpose."""
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=context.encode()).derive(secret)


def fingerprint(secret: str) -> str:
    """Return the SHA-256 of a high-entropy secret in hex, to be stored instead of the secret.

    For random values of 128 bits and more (state, cookie, service key), which a slow password hash
    would not protect better.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
