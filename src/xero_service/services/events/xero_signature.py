"""The signature of Xero's webhooks, by which Xero is known as their sender (facts §9)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable


def is_signed(body: bytes, signature: bytes, keys: Iterable[bytes]) -> bool:
    """Whether one of the keys made this signature of these bytes, in constant time for each."""
    expected = [base64.b64encode(hmac.digest(key, body, hashlib.sha256)) for key in keys]
    matches = [hmac.compare_digest(signature, each) for each in expected]
    return any(matches)
