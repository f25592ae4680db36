"""Real processes of the service, on servers that a test takes down."""

from collections.abc import Iterator

import pytest

from tests.concurrency.conftest import process_environment as process_environment
from tests.concurrency.conftest import replica as replica
from tests.crashes.conftest import doom as doom
from tests.recovery import servers
from tests.recovery.servers import ArchivedServer, ReplicatedPair


@pytest.fixture
def archived() -> Iterator[ArchivedServer]:
    with servers.archived() as archived:
        yield archived


@pytest.fixture
def pair() -> Iterator[ReplicatedPair]:
    with servers.replicated() as pair:
        yield pair
