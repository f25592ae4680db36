"""TCP ports of this machine: whether a port is free, and a free port."""

import errno
import socket


def is_free(port: int) -> bool:
    """Whether `localhost:port` is free on both IPv4 and IPv6.

    A browser may resolve the name to either.
    """
    return _can_bind(socket.AF_INET, "127.0.0.1", port) and _can_bind(socket.AF_INET6, "::1", port)


def free() -> int:
    """Return a port that was free when it was checked."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if is_free(port):
            return port


def _can_bind(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno not in {errno.EADDRINUSE, errno.EACCES}
    return True
