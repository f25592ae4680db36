"""Fingerprints: short hashes that identify a secret in logs without revealing it."""

import hashlib


def fingerprint(secret: str) -> str:
    """Return the first 12 hex digits of the secret's SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]
