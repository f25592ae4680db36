"""The access line answers "who is hammering us?": caller, org, binding, upstream, source."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from tests.metrics.scrape import parsed, series
from tests.service_api.callers import ORGANISATION, Service, client_of, service
from tests.service_api.conftest import Connected
from tests.service_api.conftest import billing as billing
from tests.service_api.conftest import connected as connected
from tests.world import ACME, ACME_ADMIN, GLOBEX, Application
from xero_service.app import PREFIX
from xero_service.telemetry import ACCESS
from xero_service.telemetry.key_requests import KEYS_AT_MOST, KeyRequests

NEW = ("source", "caller", "org", "binding", "upstream_status")


def last_line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    lines: list[dict[str, Any]] = [
        each.__dict__[ACCESS] for each in caplog.records if ACCESS in each.__dict__
    ]
    return lines[-1]


def told(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    line = last_line(caplog)
    return {name: line[name] for name in NEW if name in line}


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "xero_service.access")


async def test_a_proxied_call_names_key_org_binding_source_and_xeros_answer_o3(
    billing: Service, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await billing.calls(connected.id)).status_code == 200

    assert told(caplog) == {
        "source": "127.0.0.1",
        "caller": str(billing.made.key.id),
        "org": ACME,
        "binding": connected.id,
        "upstream_status": 200,
    }
    line = last_line(caplog)
    assert 0 < line["upstream_milliseconds"] <= line["milliseconds"] + 1


async def test_xeros_error_is_told_apart_from_ours_o3(
    billing: Service, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    connected.world.sandbox.fault("api", "503", times=1)
    assert (await billing.calls(connected.id)).status_code == 503

    assert last_line(caplog)["upstream_status"] == 503


async def test_a_xero_that_did_not_answer_has_a_time_and_no_status_o3(
    billing: Service, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    connected.world.sandbox.fault("api", "drop", times=1)
    assert (await billing.calls(connected.id)).status_code == 504

    line = last_line(caplog)
    assert "upstream_status" not in line
    assert line["upstream_milliseconds"] > 0


async def test_a_token_read_names_who_reads_and_no_upstream_o3(
    billing: Service, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await billing.token(connected.id)).status_code == 200

    assert told(caplog) == {
        "source": "127.0.0.1",
        "caller": str(billing.made.key.id),
        "org": ACME,
        "binding": connected.id,
    }


async def test_a_person_is_named_by_the_users_id_o3(
    connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    token = connected.admin.token()
    await connected.admin.http.get(
        f"{PREFIX}/bindings", headers={"Authorization": f"Bearer {token}"}
    )
    assert told(caplog) == {"source": "127.0.0.1", "caller": ACME_ADMIN, "org": ACME}

    await connected.admin.disconnects(connected.id)
    assert told(caplog)["binding"] == connected.id


async def test_who_is_denied_is_named_without_the_binding_of_another_org_o3(
    application: Application, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = await service(application, org_id=GLOBEX)
    cannot = await service(application, "bindings:read")
    for caller, org, status in ((stranger, GLOBEX, 404), (cannot, ACME, 403)):
        async with caller.http:
            assert (await caller.calls(connected.id)).status_code == status

        assert told(caplog) == {
            "source": "127.0.0.1",
            "caller": str(caller.made.key.id),
            "org": org,
        }


async def test_a_caller_that_is_not_known_is_not_named_and_nothing_it_sent_is_logged_o3(
    application: Application,
    billing: Service,
    connected: Connected,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the id of a key whose secret is wrong, nor the org that it claims."""
    forged = billing.presenting(billing.made.secret[:-4] + "AAAA").naming("org_claimed")
    assert (await forged.calls(connected.id)).status_code == 401
    assert told(caplog) == {"source": "127.0.0.1"}

    async with client_of(application) as http:
        await http.get(f"{PREFIX}/bindings", headers={"Authorization": "Bearer eyJh.eyJz.c2ln"})
    assert told(caplog) == {"source": "127.0.0.1"}


async def test_an_org_that_looks_like_a_secret_is_redacted_o3(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    """A key for all orgs may name any: also a secret that was pasted into the wrong header."""
    for_all = await service(application, org_id=None)
    async with for_all.http:
        await for_all.naming(for_all.made.secret).request("GET", "/bindings")

    assert for_all.made.secret not in str(last_line(caplog))


async def test_metrics_tell_which_key_sends_the_most_o3(
    application: Application, billing: Service, connected: Connected
) -> None:
    quiet = await service(application)
    for _ in range(3):
        await billing.calls(connected.id, ORGANISATION)
    async with quiet.http:
        await quiet.token(connected.id)
        await quiet.presenting("xsk_wrong").token(connected.id)
        text = (await quiet.http.get("/metrics")).text

    requests = series(parsed(text), "xero_service_service_key_requests_total")
    by_key = {
        dict(labels)["key"]: value
        for labels, value in requests.items()
        if dict(labels)["outcome"] == "ok" and value
    }
    assert by_key == {str(billing.made.key.id): 3, str(quiet.made.key.id): 1}


def test_however_many_keys_there_are_the_series_are_bounded_o3() -> None:
    registry = CollectorRegistry()
    keys = KeyRequests(registry)
    for number in range(3 * KEYS_AT_MOST):
        keys.answered(f"key-{number}", 200)

    (family,) = registry.collect()
    counted = {s.labels["key"]: s.value for s in family.samples if s.labels["outcome"] == "ok"}
    assert len(counted) == KEYS_AT_MOST + 1
    assert counted["other"] == 2 * KEYS_AT_MOST
