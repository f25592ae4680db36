"""The control routes: clock, switches, seeding, reset; and the sandbox as a process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.sandbox.sample_app import SampleApp
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient, SandboxError

REPOSITORY = Path(__file__).parent.parent.parent


def test_a_frozen_clock_moves_only_when_told(http: httpx.Client, sandbox: SandboxClient) -> None:
    before = http.get("/control/clock").json()["now"]
    assert http.get("/control/clock").json()["now"] == before

    sandbox.advance(1)

    assert http.get("/control/clock").json()["now"] > before


def test_the_clock_can_be_set_by_its_offset(http: httpx.Client, sandbox: SandboxClient) -> None:
    sandbox.thaw()

    answer = http.post("/control/clock", json={"offsetSeconds": 5})

    assert answer.json()["offsetSeconds"] == 5
    assert answer.json()["frozen"] is False


@pytest.mark.parametrize(
    "switches", [{"graceReplay": "sometimes"}, {"noSuchSwitch": True}, {"deleteUnknown": 500}]
)
def test_an_unknown_switch_or_position_changes_nothing(
    sandbox: SandboxClient, switches: dict[str, object]
) -> None:
    before = sandbox.state()["switches"]

    with pytest.raises(SandboxError, match="422"):
        sandbox.switch(reconsent="keeps", **switches)

    assert sandbox.state()["switches"] == before


def test_seeded_grants_work_like_any_other(app: SampleApp, sandbox: SandboxClient) -> None:
    seeded = sandbox.seed(3)

    assert len({each["xeroUserId"] for each in seeded}) == 3
    for each in seeded:
        tokens = {"access_token": each["accessToken"]}
        (connection,) = app.connections(tokens)
        assert (connection["id"], connection["tenantId"]) == (
            each["connectionId"],
            each["tenantId"],
        )
        assert app.organisation(tokens, each["tenantId"]).status_code == 200
        assert app.refresh(each["refreshToken"]).json()["scope"].split() == each["scopes"]


def test_seeded_users_stay_off_the_consent_page(app: SampleApp, sandbox: SandboxClient) -> None:
    sandbox.seed(1)

    assert "Seeded" not in app.http.get(app.authorize_url()).text


def test_a_reset_returns_to_the_sample_state(app: SampleApp, sandbox: SandboxClient) -> None:
    sandbox.reset()
    initial = sandbox.state()
    tokens = app.sign_in("xero-user-1", samples.ACME_TRADING)
    sandbox.switch(reconsent="keeps")
    sandbox.rename_org(samples.GLOBEX, "Another name")
    sandbox.advance(100)
    sandbox.fault("token", "500", times=None)
    sandbox.seed(1)

    sandbox.reset()

    state = sandbox.state()
    for part in ("switches", "users", "orgs", "connections", "grants"):
        assert state[part] == initial[part]
    assert state["clock"]["offsetSeconds"] == 0
    assert sandbox.journal() == []
    assert sandbox.faults() == []
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_a_delay_of_every_xero_request_can_be_set(app: SampleApp, sandbox: SandboxClient) -> None:
    sandbox.latency(1)

    assert app.sign_in("xero-user-1", samples.ACME_TRADING)["access_token"]


def test_an_unknown_user_is_a_404_that_names_it(sandbox: SandboxClient) -> None:
    with pytest.raises(SandboxError, match="There is no Xero user 'nobody'"):
        sandbox.connect("nobody", samples.GLOBEX)


@pytest.mark.parametrize(
    ("user", "tenants"), [("xero-user-1", 3), ("xero-user-2", 1), ("xero-user-3", 5)]
)
def test_the_sample_users_reach_the_organisations_they_should(
    sandbox: SandboxClient, user: str, tenants: int
) -> None:
    state = sandbox.state()
    user_id = next(each["xeroUserId"] for each in state["users"] if each["key"] == user)

    assert sum(user_id in org["members"] for org in state["orgs"]) == tenants


def test_the_same_client_works_against_a_sandbox_in_another_process() -> None:
    command = [sys.executable, "-m", "xero_sandbox", "serve", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout
    try:
        line = process.stdout.readline().strip()
        assert line.startswith("Xero sandbox ready at http://localhost:")
        base_url = line.removeprefix("Xero sandbox ready at ")
        with SandboxClient(base_url) as sandbox, httpx.Client(base_url=base_url) as http:
            app = SampleApp(sandbox, http)
            assert app.sign_in("xero-user-1", samples.ACME_TRADING)["refresh_token"]
            assert sandbox.session_token("user_acme_admin", "org_acme")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        process.stdout.close()
