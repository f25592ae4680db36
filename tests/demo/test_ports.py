"""Ports: detection of used ones, and a choice of free ones."""

import socket

import pytest

from demo import ports


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_port_is_taken_when_localhost_answers_there_in_either_family(
    family: socket.AddressFamily, host: str
) -> None:
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        assert family == socket.AF_INET6, "only IPv6 may be missing from a machine"
        return

    with listener:
        port = listener.getsockname()[1]

        assert not ports.is_free(port)


def test_a_free_port_can_be_bound() -> None:
    with socket.create_server(("127.0.0.1", ports.free())) as listener:
        assert listener.getsockname()[1] > 0
