"""Real processes of the service, and services that call them under load."""

from tests.concurrency.conftest import process_environment as process_environment
from tests.concurrency.conftest import replica as replica
