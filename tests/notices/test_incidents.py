"""R41: who is mailed about what, once for each incident and person."""

import asyncio
from collections import Counter
from uuid import UUID

from tests.notices.conftest import TEAM, days_pass, look
from tests.notices.mail_server import MailServer
from tests.world import ACME, GLOBEX, Application, World
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_SERVICES, ACME_TRADING


async def breaks(world: World, binding_id: str) -> None:
    """The binding needs a person, as when Xero ends its grant."""
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET status = 'needs_reauth' WHERE id = $1",
        UUID(binding_id),
    )


async def heals(world: World, binding_id: str) -> None:
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET status = 'active' WHERE id = $1", UUID(binding_id)
    )


async def test_the_person_who_connected_and_the_team_get_one_mail_each(
    world: World, mail_server: MailServer
) -> None:
    """R41: Xero ends the grant; the mail leads to that binding's reconnect. Nothing before."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await look(world)
    assert mail_server.mails == []
    world.sandbox.switch(disconnectInXero="kills_grant")
    world.sandbox.disconnect(ACME_BOOKKEEPER.xero_user_id, ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    await admin.refreshes()

    for _ in range(2):
        await look(world)

    assert sorted(mail.to for mail in mail_server.mails) == [ACME_BOOKKEEPER.email, TEAM]
    for mail in mail_server.mails:
        link = f"http://localhost:8000/settings/integrations?reconnect={binding['id']}"
        assert mail.sender == "notices@acme.example"
        assert mail.subject == f"Reconnect {binding['tenantName']} to Xero"
        assert link in mail.part("plain")
        assert f'href="{link}"' in mail.part("html")
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        # As clients read it: on one line, and no encoded word.
        assert f"\r\nList-Unsubscribe: <{mail.unsubscribe_url}>\r\n".encode() in mail.raw
        assert all(len(line) <= 998 for line in mail.raw.split(b"\r\n"))


async def test_an_incident_that_flaps_ten_times_sends_one_mail(
    world: World, mail_server: MailServer
) -> None:
    """R41: upkeep looks after each change; a day later it is in order, which closes it."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    for _ in range(10):
        await breaks(world, binding["id"])
        await look(world)
        await heals(world, binding["id"])
        await look(world)
    assert len(mail_server.to(ACME_BOOKKEEPER.email)) == 1

    await days_pass(world)
    for _ in range(2):
        await look(world)
    first, second = mail_server.to(ACME_BOOKKEEPER.email)
    assert second.subject == f"{binding['tenantName']}: the connection to Xero is in order again"
    assert "reconnect=" not in second.part("plain")
    assert first.message["Message-ID"] != second.message["Message-ID"]

    await days_pass(world, 30)
    await look(world)
    assert len(mail_server.mails) == 4, "two for each of two recipients"


async def test_a_second_incident_is_told_after_the_first_was_closed(
    world: World, mail_server: MailServer
) -> None:
    """R41: broken, in order, broken: with a day between, three mails."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    for change in (breaks, heals, breaks):
        await change(world, binding["id"])
        for _ in range(2):
            await look(world)
        await days_pass(world)
        await look(world)
    assert len(mail_server.to(TEAM)) == 3


async def test_two_orgs_of_one_xero_user_are_each_told_of_their_own_binding(
    world: World, mail_server: MailServer
) -> None:
    """S58: a mail names one org's binding, and leads to it alone."""
    ours = await (await world.accountant(ACME)).connects(ACME_TRADING)
    theirs = await (await world.accountant(GLOBEX)).connects(ACME_SERVICES)
    await breaks(world, ours["id"])
    await look(world)

    (mail,) = mail_server.to(ACME_BOOKKEEPER.email)
    for part in ("plain", "html"):
        assert ours["id"] in mail.part(part)
        assert theirs["id"] not in mail.part(part)
        assert theirs["tenantName"] not in mail.part(part)


async def test_a_xero_user_who_never_consented_in_the_org_is_not_told(
    world: World, mail_server: MailServer
) -> None:
    """S58: the binding rests on a grant to which only another org's consent led."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await world.database.execute("UPDATE grant_authorisations SET clerk_org_id = $1", GLOBEX)
    await breaks(world, binding["id"])
    await look(world)
    assert [mail.to for mail in mail_server.mails] == [TEAM]


async def test_nothing_is_told_of_a_binding_that_is_not_in_use(
    world: World, mail_server: MailServer
) -> None:
    """R41: disconnected in between, and suspended."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    await breaks(world, binding["id"])
    await admin.disconnects(binding["id"])
    await look(world)
    assert mail_server.mails == []


async def test_what_upkeep_warns_of_is_told_too_the_worst_first(
    world: World, mail_server: MailServer
) -> None:
    """R41: about to end, then permissions missing, a day apart; then both are over."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    name = binding["tenantName"]
    await world.database.execute(
        "UPDATE integration_tenant_bindings SET expiring_since = now(), missing_scopes = '{a}'"
    )
    for _ in range(2):
        await look(world)
    await days_pass(world)
    for _ in range(2):
        await look(world)
    assert [mail.subject for mail in mail_server.to(TEAM)] == [
        f"The connection of {name} to Xero is about to end",
        f"{name} needs more permissions at Xero",
    ]

    await world.database.execute(
        "UPDATE integration_tenant_bindings SET expiring_since = NULL, missing_scopes = NULL"
    )
    await days_pass(world)
    for _ in range(2):
        await look(world)
    assert len(mail_server.to(TEAM)) == 3


async def test_two_replicas_that_look_at_once_send_each_mail_once(
    world: World, replica: Application, mail_server: MailServer
) -> None:
    """R41: a row is claimed by one of them."""
    admin = await world.acme_admin()
    for binding in [await admin.connects(each) for each in (ACME_TRADING, ACME_SERVICES)]:
        await breaks(world, binding["id"])
    other = World(replica, world.sandbox, world.database, world.stack)
    for _ in range(2):
        await asyncio.gather(*(look(each) for each in (world, other, world, other)))
    mailed = Counter((mail.to, mail.subject) for mail in mail_server.mails)
    assert len(mailed) == 4
    assert set(mailed.values()) == {1}
