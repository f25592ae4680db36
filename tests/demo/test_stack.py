"""The whole demo: its parts reach each other, and a first connection works."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from demo import stack
from demo.processes import LaunchError
from demo.stack import Stack
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_TRADING

API = "/api/integrations/xero"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    page = tmp_path_factory.mktemp("dist")
    (page / "index.html").write_text("<!doctype html><title>The page</title>")
    with stack.running(tmp_path_factory.mktemp("stack"), replicas=2, page=page) as started:
        yield started


@pytest.fixture
def sandbox(running: Stack) -> Iterator[SandboxClient]:
    with SandboxClient(running.sandbox) as client:
        yield client


@pytest.fixture
def browser(running: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.origin, trust_env=False) as client:
        yield client


def signed_in(running: Stack, sandbox: SandboxClient, person: str) -> dict[str, str]:
    token = sandbox.session_token(person, "org_acme", azp=running.origin)
    return {"Authorization": f"Bearer {token}"}


def test_every_replica_is_ready(running: Stack) -> None:
    for replica in running.replicas:
        assert httpx.get(f"{replica.url}/readyz", trust_env=False).status_code == 200

    assert len(running.replicas) == 2
    assert running.replicas[0].url == running.origin


def test_the_page_is_on_the_services_origin_and_finds_the_session_issuer(
    running: Stack, browser: httpx.Client
) -> None:
    assert "The page" in browser.get("/settings/integrations").text

    issuer = browser.get("/sandbox.json").json()["sessionIssuer"]

    assert issuer == f"{running.sandbox}/session"
    assert httpx.get(f"{issuer}/.well-known/jwks.json", trust_env=False).status_code == 200


def test_a_person_signs_in_at_the_sandbox_and_connects_an_organisation(
    running: Stack, sandbox: SandboxClient, browser: httpx.Client
) -> None:
    admin = signed_in(running, sandbox, "user_acme_admin")
    start = browser.get(f"{API}/start", headers=admin).json()

    callback = sandbox.consent(start["authorizationUrl"], "xero-user-1", [ACME_TRADING])
    assert callback.startswith(running.origin)
    landed = urlsplit(browser.get(callback).headers["Location"])
    assert "action=select_tenant" in landed.query
    grant = dict(part.split("=") for part in landed.query.split("&"))["grantId"]
    chosen = {"grantId": grant, "tenantId": ACME_TRADING}
    bound = browser.post(f"{API}/tenants/select", headers=admin, json=chosen)

    assert bound.status_code == 201
    other = httpx.Client(base_url=running.replicas[1].url, trust_env=False)
    with other:
        bindings = other.get(f"{API}/bindings", headers=admin).json()["bindings"]
    assert [binding["tenantId"] for binding in bindings] == [ACME_TRADING]


def test_commands_run_with_the_stacks_configuration(running: Stack) -> None:
    key = running.command(
        "keys", "create", "--name", "ledger", "--all-orgs", "--scope", "bindings:read"
    )

    assert "xsk_" in key


def test_a_failed_command_says_what_it_said(running: Stack) -> None:
    with pytest.raises(LaunchError, match="xero-service no-such-command"):
        running.command("no-such-command")


def test_a_replica_can_be_lost_and_another_started(running: Stack) -> None:
    lost = running.start_replica()
    lost.child.kill()

    found = running.start_replica()

    assert httpx.get(f"{found.url}/readyz", trust_env=False).status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{lost.url}/readyz", trust_env=False)
