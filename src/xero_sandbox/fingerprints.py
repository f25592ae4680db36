"""Names for secrets that can be compared and shown, but not used."""

import hashlib


def fingerprint(secret: str) -> str:
    """Return the first 12 hex digits of the secret's SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]
