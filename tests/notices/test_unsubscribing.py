"""S65: unsubscribing is by the signed link alone, and it holds."""

import pytest

from tests.notices.conftest import TEAM, days_pass, look
from tests.notices.mail_server import Mail, MailServer
from tests.notices.test_incidents import breaks, heals
from tests.world import Application, World
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING
from xero_service.settings import Settings

ONE_CLICK = {"List-Unsubscribe": "One-Click"}  # the form that RFC 8058 has mail clients send


@pytest.fixture
async def mail(world: World, mail_server: MailServer) -> Mail:
    """The mail to the person who connected, about a binding that is broken."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await breaks(world, binding["id"])
    await look(world)
    (found,) = mail_server.to(ACME_BOOKKEEPER.email)
    return found


async def next_incident(world: World, mail_server: MailServer) -> list[str]:
    """Close this incident, begin another; return who was mailed about which."""
    before = len(mail_server.mails)
    binding_id = str(await world.database.fetchval("SELECT id FROM integration_tenant_bindings"))
    for change in (heals, breaks):
        await days_pass(world, 2)
        await change(world, binding_id)
        await look(world)
    return sorted(f"{each.to} {each.subject.split()[0]}" for each in mail_server.mails[before:])


async def test_opening_the_link_changes_nothing_and_the_button_ends_mail_of_that_kind(
    world: World, mail_server: MailServer, mail: Mail
) -> None:
    """S65: other kinds, and other recipients, go on; what was not told is not closed either."""
    async with world.application.http() as browser:
        page = await browser.get(mail.unsubscribe_url)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert '<form method="post">' in page.text
        assert await world.database.fetchval("SELECT count(*) FROM notice_unsubscribes") == 0

        for _ in range(2):
            done = await browser.post(mail.unsubscribe_url, data=ONE_CLICK)
            assert done.status_code == 200
    assert mail.unsubscribe_url in mail.part("plain")

    later = await next_incident(world, mail_server)
    assert [each for each in later if ACME_BOOKKEEPER.email in each] == []
    assert len([each for each in later if TEAM in each]) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_page_loads_and_runs_nothing(world: World, mail: Mail, method: str) -> None:
    """S65, S46."""
    async with world.application.http() as browser:
        page = await browser.request(method, mail.unsubscribe_url)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "form-action 'self'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert not any(each in page.text for each in ("<script", "src=", "href=", "url(", "@import"))
    assert ACME_BOOKKEEPER.email not in page.text


async def test_a_link_that_was_altered_or_made_up_is_unknown(world: World, mail: Mail) -> None:
    """S65: each part of the token counts; a link of one kind is none of another."""
    address, token = mail.unsubscribe_url.split("?token=")
    kind, address_hash, signature = token.split(".")
    altered = [
        "",
        "x",
        f"recovered.{address_hash}.{signature}",
        f"{kind}.{address_hash[:-1]}.{signature}",
        f"{kind}.{address_hash}.{signature[:-1]}",
        f"{kind}.{address_hash}.",
        f"{kind}.{address_hash}.ü",
    ]
    async with world.application.http() as browser:
        for each in altered:
            for method in ("GET", "POST"):
                answer = await browser.request(method, address, params={"token": each})
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), each
    assert await world.database.fetchval("SELECT count(*) FROM notice_unsubscribes") == 0


async def test_links_and_what_was_unsubscribed_hold_after_the_key_was_replaced(
    world: World, mail_server: MailServer, mail: Mail, settings: Settings
) -> None:
    """S65, S38: the new key with the old one beside it, rewrapped, then the new one alone."""
    new, old = "9f8e7d6c5b4a39281706f5e4d3c2b1a0" * 2, settings.encryption_key.get_secret_value()
    both = Settings(_env_file=None, encryption_key=new, encryption_key_previous=old)
    async with Application.running(both) as rotating, rotating.http() as browser:
        assert (await browser.get(mail.unsubscribe_url)).status_code == 200
        await rotating.services.key_rotation.run(lambda _: None)
    alone = Settings(_env_file=None, encryption_key=new)
    async with Application.running(alone) as application, application.http() as browser:
        assert (await browser.post(mail.unsubscribe_url, data=ONE_CLICK)).status_code == 200
        rotated = World(application, world.sandbox, world.database, world.stack)
        later = await next_incident(rotated, mail_server)
    assert [each for each in later if ACME_BOOKKEEPER.email in each] == []
    assert len([each for each in later if TEAM in each]) == 2


async def test_no_address_is_stored(world: World, mail: Mail) -> None:
    """S65, S58: reports and unsubscribes are stored by hashes and ids."""
    async with world.application.http() as browser:
        await browser.post(mail.unsubscribe_url)
    for table in ("notices", "notice_unsubscribes", "notice_keys"):
        rows = str([dict(row) for row in await world.database.fetch(f"SELECT * FROM {table}")])  # noqa: S608
        assert rows != "[]"
        assert "@" not in rows


async def test_a_person_who_is_in_the_team_is_mailed_once(
    world: World, mail_server: MailServer, settings: Settings
) -> None:
    """R41: whatever the case of the letters."""
    team = (ACME_BOOKKEEPER.email.upper(),)
    changed = settings.model_copy(update={"notices_to": team})
    async with Application.running(changed) as application:
        around = World(application, world.sandbox, world.database, world.stack)
        binding = await (await around.acme_admin()).connects(ACME_TRADING)
        await breaks(around, binding["id"])
        for _ in range(2):
            await look(around)
    assert [each.to.lower() for each in mail_server.mails] == [ACME_BOOKKEEPER.email]
