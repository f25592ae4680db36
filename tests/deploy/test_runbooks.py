"""docs/runbooks: every page has the same parts, and every command in them works."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.events.receiver import receiving
from tests.repository import ROOT
from tests.service_api.callers import service
from tests.world import ACME, World
from xero_sandbox.samples import ACME_TRADING
from xero_service.cli import app as commands

PAGES = sorted(
    page
    for page in (ROOT / "docs/runbooks").glob("*.md")
    if page.stem not in {"README", "capacity"}
)
PARTS = ["What it means", "What customers notice", "Look", "Act", "Never"]
COMMAND = re.compile(r"`xero-service ([a-z][^`]*)`")
PROCESSES = {"upkeep"}  # without --once it runs until it is stopped


def commands_of(page: Path) -> list[str]:
    return COMMAND.findall(page.read_text())


def every_command() -> Iterator[str]:
    found = {command for page in PAGES for command in commands_of(page)}
    yield from sorted(found - PROCESSES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_it_means_what_to_look_at_and_what_never_to_do_o3(page: Path) -> None:
    text = page.read_text()

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert all(part.strip() for part in re.split(r"^#+ .+$", text, flags=re.MULTILINE)[2:])


@pytest.mark.parametrize(
    "page",
    [
        "incident-xero-down",
        "incident-client-secret-leaked",
        "incident-encryption-key",
        "incident-key-leaked",
        "incident-one-customer-hammers",
        "database-restored",
        "upgrade",
        "rollback",
        "capacity",
    ],
)
def test_there_is_a_page_for_each_incident_and_the_index_leads_to_it_o3(page: str) -> None:
    assert (ROOT / f"docs/runbooks/{page}.md").is_file()
    assert f"({page}.md)" in (ROOT / "docs/runbooks/README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_panel_that_a_page_names_is_on_the_dashboard_o3(page: Path) -> None:
    look = page.read_text().partition("## Look")[2].partition("## Act")[0]
    named = set(re.findall(r'"([A-Z][^"]+)"', look))

    dashboard = json.loads((ROOT / "deploy/observability/dashboard.json").read_text())
    assert named <= {panel["title"] for panel in dashboard["panels"]}


@pytest.mark.parametrize("command", list(every_command()))
async def test_every_command_of_the_runbooks_does_what_it_is_named_for_o3(
    world: World, command: str
) -> None:
    """In a service with one binding, one grant, one key and one webhook endpoint."""
    binding = await (await world.acme_admin()).connects(ACME_TRADING)
    billing = await service(world.application)
    await billing.http.aclose()
    if command.startswith("bindings resume"):
        assert (await run("bindings", "suspend", binding["id"]))[0] == 0
    receiver = await world.stack.enter_async_context(receiving(world))
    places = {
        "BINDING": binding["id"],
        "GRANT": binding["grantId"],
        "KEY": str(billing.made.key.id),
        "ENDPOINT": str(receiver.endpoint_id),
        "ORG": ACME,
        "NAME": "reports",
    }

    code, said = await run(*(places.get(word, word) for word in command.split()))

    assert code == 0, said


async def run(*arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(CliRunner().invoke, commands, arguments)
    return done.exit_code, done.output
