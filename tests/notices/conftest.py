"""A service that sends mail to a server on loopback."""

from collections.abc import AsyncIterator

import pytest

from tests.events.conftest import replica as replica
from tests.notices.mail_server import MailServer, serving
from tests.world import World

TEAM = "team@acme.example"


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    async with serving() as server:
        yield server


@pytest.fixture
def environment(environment: dict[str, str], mail_server: MailServer) -> dict[str, str]:
    return environment | {
        "SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "NOTICES_FROM": "Xero connections <notices@acme.example>",
        "NOTICES_TO": TEAM,
    }


async def look(world: World) -> None:
    """What upkeep does about mail."""
    await world.services.upkeep._send_notices()


async def days_pass(world: World, days: int = 1) -> None:
    """Let the pause after a mail, or after a failure, be over."""
    await world.database.execute(
        "UPDATE notices SET next_attempt_at = next_attempt_at - make_interval(days => $1),"
        " mailed_at = mailed_at - make_interval(days => $1)",
        days,
    )
