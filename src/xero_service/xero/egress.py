"""How a request leaves: by which proxy, and whose certificates are believed."""

import os
import ssl
from functools import cache
from urllib.request import getproxies, proxy_bypass

import certifi


@cache
def authorities() -> ssl.SSLContext:
    """Return whose certificates are believed: the environment's choice, else Mozilla's.

    They are read once, because that takes as long as ten requests.
    """
    chosen = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    file, folder = chosen if any(chosen) else (certifi.where(), None)
    return ssl.create_default_context(cafile=file, capath=folder)


@cache
def proxy_for(scheme: str, host: str) -> str | None:
    """Return the proxy by which the environment wants a host to be called.

    aiohttp would look for it, and in a file for passwords, with every request.
    """
    return None if proxy_bypass(host) else getproxies().get(scheme)
