"""The certificate authorities that connections to other servers trust."""

import os
import ssl
from functools import cache

import certifi


@cache
def trusted_certificates() -> ssl.SSLContext:
    """Return the TLS context: SSL_CERT_FILE and SSL_CERT_DIR if set, else Mozilla's authorities.

    Cached, because loading the authorities takes as long as ten requests.
    """
    chosen = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    file, folder = chosen if any(chosen) else (certifi.where(), None)
    return ssl.create_default_context(cafile=file, capath=folder)
