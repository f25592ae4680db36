"""Short leases, and processes that die where they are told to."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from tests.crashes.doomed import DIED
from xero_service.failpoints import Place

LEASE_SECONDS = 4


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """The service's, with leases that a test can wait for."""
    return environment | {
        "XERO_TIMEOUT_SECONDS": "2",
        "REFRESH_LEASE_SECONDS": str(LEASE_SECONDS),
    }


@dataclass(frozen=True)
class Doom:
    """Lets a process do something and die at a place on the way."""

    environment: dict[str, str]

    def at(self, place: Place, deed: str, **told: Any) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tests.crashes.doomed", place.name, deed, json.dumps(told)],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == DIED, f"{place.name} was not reached\n{done.stderr}"


@pytest.fixture
def doom(environment: dict[str, str]) -> Doom:
    return Doom(environment)
