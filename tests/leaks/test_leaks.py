"""S19, S42, S58: after a whole day at DEBUG no secret is found anywhere but where it belongs."""

from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from tests.leaks.leak_scenario import Day
from tests.leaks.watch import Said, Watch, dumped, watching
from tests.notices.mail_server import MailServer, serving
from tests.service_api.callers import client_of
from tests.world import Application, World
from xero_sandbox.client import SandboxClient
from xero_service.settings import Settings
from xero_service.telemetry import configure_logging

NEEDED = {
    *("access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret"),
    *("state or nonce", "flow cookie", "session token", "service key", "encryption key"),
    *("mail password", "team address", "unsubscribe token"),
    *("name", "stray", "webhook secret", "key of Xero's webhooks"),
}


@dataclass(frozen=True)
class Night:
    """What a day left behind."""

    watch: Watch
    written: str
    rows: dict[str, str]
    metrics: str
    tenant_names: set[str]


@pytest.fixture
def debugging() -> None:
    configure_logging(level="DEBUG", form="json")


@pytest.fixture
async def night(
    capfd: pytest.CaptureFixture[str],
    debugging: None,
    settings: Settings,
    sandbox: SandboxClient,
    monkeypatch: pytest.MonkeyPatch,
) -> Night:
    watch = watching(monkeypatch)
    async with (
        serving(user=("mailer", "pass-phrase-of-the-mailer")) as mail_server,
        Application.running(mailing(settings, mail_server)) as application,
        World.around(application, sandbox) as world,
        client_of(application) as http,
    ):
        day = Day(world, watch, await world.acme_admin(), http, mail_server)
        await day.passes(monkeypatch)
        rows = await dumped(world.database)
        names = "SELECT external_tenant_name FROM integration_tenant_bindings"
        tenant_names = {row[0] for row in await world.database.fetch(names)}
        metrics = application.services.metrics.render().decode()
    said = capfd.readouterr()
    return Night(watch, said.err + said.out, rows, metrics, tenant_names)


def mailing(settings: Settings, server: MailServer) -> Settings:
    """The settings of a service that mails its people and a team."""
    assert server.user is not None
    url = "smtp://{}:{}@127.0.0.1:{}".format(*server.user, server.port)
    return settings.model_copy(
        update={
            "smtp_url": SecretStr(url),
            "notices_from": "notices@acme.example",
            "notices_to": ("finance-team@acme.example",),
        }
    )


def allowed(said: Said) -> frozenset[str]:
    """What an answer may carry: only its purpose."""
    path, ok = said.path.rsplit("/", 1)[-1], said.status < 400
    if ok and path == "token":
        return frozenset({"access_token"})
    if ok and path == "start":
        return frozenset({"state or nonce", "flow cookie"})
    if ok and path in {"bindings", "select", "disconnect"}:
        return frozenset({"name"})
    return frozenset()


async def test_nothing_leaks_in_a_whole_day(night: Night) -> None:
    """S12, S19, S42, S43, S47."""
    watch = night.watch
    assert {kind for kind, values in watch.secrets.items() if values} == NEEDED
    # The day was one: everything was tried, and things went wrong in every way.
    assert {200, 201, 204, 302, 303, 401, 404, 409, 422, 500, 503} <= {s.status for s in watch.said}
    assert night.written.count("\n") > 150
    assert sum(bool(text) for text in night.rows.values()) >= 7
    assert len(watch.reprs) > 100

    everywhere = {
        "logs": watch.found_in(night.written),
        "metrics": watch.found_in(night.metrics),
        "reprs": watch.found_in("\n".join(watch.reprs)),
        **{f"table {name}": watch.found_in(text) for name, text in night.rows.items()},
        **{
            f"{said.method} {said.path} {said.status}": watch.found_in(said.text, but=allowed(said))
            for said in watch.said
        },
    }

    assert {where: kinds for where, kinds in everywhere.items() if kinds} == {}

    # Nor does the name of an organisation leave by an event, or stay in what records its way.
    away = {name: night.rows[name] for name in ("events", "webhook_deliveries", "notices")}
    away |= {"logs": night.written, "metrics": night.metrics}
    away |= {each.path: each.text for each in watch.said if each.path == "/webhook"}
    assert all(away.values())
    assert len(night.tenant_names) == 2
    named = {where for where, text in away.items() for name in night.tenant_names if name in text}
    assert named == set()
