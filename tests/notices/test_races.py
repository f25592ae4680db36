"""R41, S65: who unsubscribes while a mail is being sent gets that one at most, and no other."""

import asyncio

import pytest

from tests.notices.conftest import days_pass, look
from tests.notices.mail_server import MailServer
from tests.notices.test_incidents import breaks, heals
from tests.world import World
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.soak)])
async def test_who_unsubscribes_while_a_mail_is_sent_gets_no_other(
    world: World, mail_server: MailServer, rounds: int
) -> None:
    """S65: at the same moment, and while the server has the mail and has not accepted it."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await breaks(world, binding["id"])
    await look(world)
    (mail,) = mail_server.to(ACME_BOOKKEEPER.email)

    async def incident() -> None:
        """The binding recovers, which closes its incident, and fails again."""
        for change in (heals, breaks):
            await change(world, binding["id"])
            await days_pass(world, 2)
            await look(world)

    async with world.application.http() as browser:
        for _ in range(rounds):
            await world.database.execute("DELETE FROM notice_unsubscribes")
            await heals(world, binding["id"])
            await days_pass(world, 2)
            await look(world)
            await breaks(world, binding["id"])
            await days_pass(world, 2)
            before = len(mail_server.to(ACME_BOOKKEEPER.email))

            _, done = await asyncio.gather(look(world), browser.post(mail.unsubscribe_url))

            assert done.status_code == 200
            assert len(mail_server.to(ACME_BOOKKEEPER.email)) - before <= 1
            after = len(mail_server.to(ACME_BOOKKEEPER.email))
            await incident()
            assert len(mail_server.to(ACME_BOOKKEEPER.email)) == after
            claimed = "SELECT count(*) FROM notices WHERE claimed_until IS NOT NULL"
            assert await world.database.fetchval(claimed) == 0
