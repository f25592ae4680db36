"""Real processes of the service, on servers that a test takes down."""

from tests.concurrency.conftest import process_environment as process_environment
from tests.concurrency.conftest import replica as replica
from tests.crashes.conftest import doom as doom
