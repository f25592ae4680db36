"""Impatient settings: leases, deadlines and time limits that a test can wait for."""

import pytest

LEASE_SECONDS = 1.2


@pytest.fixture
def hasty(environment: dict[str, str]) -> None:
    """To be named before anything that starts the service."""
    environment["XERO_TIMEOUT_SECONDS"] = "0.4"
    environment["REFRESH_LEASE_SECONDS"] = str(LEASE_SECONDS)


@pytest.fixture
def lease_seconds(request: pytest.FixtureRequest, hasty: None, environment: dict[str, str]) -> None:
    """A lease of a test's own, for what must happen within it on any machine."""
    environment["REFRESH_LEASE_SECONDS"] = str(request.param)
