"""A cluster for all tests of this directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connections import server
from tests.connections.server import Cluster
from xero_service.libpq.words import PARAMETERS


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with server.running() as found:
        yield found


@pytest.fixture(autouse=True)
def no_variables_of_libpq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own: neither variables nor files of a home."""
    for variable in PARAMETERS.values():
        if variable:
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
