"""R41, S65: real SMTP, encrypted and authenticated, with servers that refuse or are away."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.connections.certificates import Authority
from tests.metrics.scrape import parsed, series
from tests.notices.conftest import TEAM, look
from tests.notices.mail_server import MailServer, serving
from tests.notices.test_incidents import breaks
from tests.world import Application, World
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING
from xero_service.certificates import trusted_certificates
from xero_service.settings import Settings
from xero_service.settings.smtp import parse_smtp_url

USER = ("mailer@acme.example", "p@ss:wörd/1")
LOGIN = "mailer%40acme.example:p%40ss%3Aw%C3%B6rd%2F1"


async def broken(world: World) -> None:
    """A binding that its person and the team are to hear of."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    await breaks(world, binding["id"])


async def is_usable(world: World) -> bool:
    answer = await world.services.notices.check()
    return answer is not None and answer.is_accepted


async def state(world: World) -> list[tuple[list[str], int, bool]]:
    """For each recipient: reported problems, failed attempts, and whether it is repeated later."""
    rows = await world.database.fetch(
        "SELECT told, failures, next_attempt_at > now() AS later FROM notices ORDER BY recipient"
    )
    return [(row["told"], row["failures"], row["later"]) for row in rows]


@asynccontextmanager
async def mailing_by(world: World, settings: Settings, url: str) -> AsyncIterator[World]:
    """The service with another SMTP_URL."""
    changed = settings.model_copy(update={"smtp_url": SecretStr(url)})
    async with Application.running(changed) as application:
        yield World(application, world.sandbox, world.database, world.stack)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """A certificate authority that the service trusts."""
    found = Authority(tmp_path, "ours")
    monkeypatch.setenv("SSL_CERT_FILE", str(found.file))
    trusted_certificates.cache_clear()
    yield found
    trusted_certificates.cache_clear()


def tls_of(authority: Authority, host: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issues(host, hosts=(host,)))
    return context


async def test_mail_goes_encrypted_and_authenticated(
    world: World, settings: Settings, authority: Authority
) -> None:
    """S65: STARTTLS with a verified certificate, then the login, then the mail."""
    async with serving(tls=tls_of(authority, "localhost"), user=USER) as server:
        url = f"smtp://{LOGIN}@localhost:{server.port}?tls=required"
        async with mailing_by(world, settings, url) as service:
            assert await is_usable(service)
            await broken(service)
            await look(service)
        assert set(server.logins) == {USER}
        assert sorted(mail.to for mail in server.mails) == [ACME_BOOKKEEPER.email, TEAM]
        assert all(mail.was_encrypted and mail.was_authenticated for mail in server.mails)


@pytest.mark.parametrize(
    ("certificate_of", "login"),
    [("elsewhere.test", LOGIN), (None, LOGIN), ("localhost", "m:wrong")],
    ids=["certificate of another host", "no STARTTLS", "wrong password"],
)
async def test_nothing_is_sent_where_the_connection_is_not_as_demanded(
    world: World,
    settings: Settings,
    authority: Authority,
    certificate_of: str | None,
    login: str,
) -> None:
    """S65, R41: the mail waits, without a login in the clear, until an operator mends it."""
    context = tls_of(authority, certificate_of) if certificate_of else None
    async with serving(tls=context, user=USER) as server:
        url = f"smtp://{login}@localhost:{server.port}?tls=required"
        async with mailing_by(world, settings, url) as service:
            assert not await is_usable(service)
            await broken(service)
            await look(service)
        assert server.mails == []
        assert USER not in server.logins
    assert await state(world) == [([], 1, True)] * 2


@pytest.mark.parametrize(
    ("to_recipient", "to_data", "is_final"),
    [
        ("450 4.2.1 mailbox busy", None, False),
        (None, "451 4.3.0 try later", False),
        ("550 5.1.1 no such user", None, True),
        (None, "554 5.7.1 spam", True),
    ],
)
async def test_a_4xx_is_repeated_and_a_5xx_gives_up(
    world: World,
    mail_server: MailServer,
    to_recipient: str | None,
    to_data: str | None,
    is_final: bool,
) -> None:
    """R41: by the schedule of deliveries; the other recipient has its mail."""
    await broken(world)
    mail_server.refuses = lambda to: None if to == TEAM else to_recipient
    mail_server.refuses_data = to_data
    await look(world)
    attempts = mail_server.attempts
    for _ in range(2):
        await look(world)
    assert mail_server.attempts == attempts

    mail_server.refuses, mail_server.refuses_data = lambda _: None, None
    await world.database.execute("UPDATE notices SET next_attempt_at = now()")
    await look(world)
    expected = [] if is_final and to_data else [TEAM] if is_final else [ACME_BOOKKEEPER.email, TEAM]
    assert sorted(mail.to for mail in mail_server.mails) == expected
    assert all(told == ["needs_reauth"] for told, _, _ in await state(world))


async def test_a_mail_is_given_up_after_the_last_step_of_the_schedule(
    world: World, settings: Settings
) -> None:
    """R41: ten attempts to a server that is away; the next incident is told again."""
    async with mailing_by(world, settings, "smtp://127.0.0.1:9") as service:
        await broken(service)
        for _ in range(12):
            await look(service)
            await world.database.execute("UPDATE notices SET next_attempt_at = now()")
    attempts = await world.database.fetch("SELECT attempts, failures, told FROM notices")
    assert [tuple(row) for row in attempts] == [(10, 0, ["needs_reauth"])] * 2


async def test_no_mail_is_sent_without_a_server(
    world: World, mail_server: MailServer, settings: Settings
) -> None:
    """R41: off while SMTP_URL is unset."""
    changed = settings.model_copy(update={"smtp_url": None})
    async with Application.running(changed) as application:
        around = World(application, world.sandbox, world.database, world.stack)
        await broken(around)
        await around.services.upkeep.round()
        assert await around.services.notices.check() is None
    assert mail_server.mails == []
    assert await state(world) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com", ("mail.example.com", 587, False, True)),
        ("smtps://u:p@mail.example.com", ("mail.example.com", 465, True, True)),
        ("smtp://relay:25?tls=optional", ("relay", 25, False, False)),
        ("smtp://u:p@127.0.0.1:2525", ("127.0.0.1", 2525, False, False)),
        ("smtp://u:p@localhost?tls=required", ("localhost", 587, False, True)),
    ],
)
def test_the_url_says_how_to_connect(url: str, expected: tuple[Any, ...]) -> None:
    """S65: TLS is required of any host but this machine."""
    server = parse_smtp_url(url)
    assert (server.host, server.port, server.is_tls, server.requires_tls) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example.com", "http://mail.example.com", "smtp://", "smtp://h:port"),
        *("smtp://user@h", "smtp://h/path", "smtp://h?tls=never", "smtp://h?starttls=off"),
        "smtp://user:secret@mail.example.com?tls=optional",
    ],
)
def test_a_url_that_cannot_be_kept_is_refused_without_repeating_it(url: str) -> None:
    """S65, S43."""
    with pytest.raises(ValueError, match=r"must|takes") as refused:
        parse_smtp_url(url)
    assert "secret" not in str(refused.value)


async def test_the_mails_that_fail_are_counted_until_they_are_sent_or_no_longer_due(
    world: World, mail_server: MailServer
) -> None:
    """O3: from the database, so that each replica says it, whichever made the attempt."""

    async def failing() -> float:
        world.services.state_metrics.next_at = 0
        async with world.application.http() as http:
            found = parsed((await http.get("/metrics")).text)
        (number,) = series(found, "xero_service_notices_failing").values()
        return number

    await broken(world)
    assert await failing() == 0
    mail_server.refuses = lambda to: "450 4.2.1 mailbox busy" if to == TEAM else None
    await look(world)
    assert await failing() == 1

    await world.database.execute("UPDATE integration_tenant_bindings SET status = 'active'")
    assert await failing() == 0
    await world.database.execute("UPDATE integration_tenant_bindings SET status = 'needs_reauth'")
    assert await failing() == 1
    await world.database.execute("UPDATE notices SET next_attempt_at = now() - interval '61 min'")
    assert await failing() == 0, "nobody tries it again: NOTICES_TO was changed"

    mail_server.refuses = lambda _: None
    await look(world)
    assert await failing() == 0
    assert len(mail_server.mails) == 2
