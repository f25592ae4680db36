"""Every audit action is a member of `AuditAction`, which the API documents."""

from pathlib import Path

import xero_service
from tests.world import World
from xero_service.app import assemble
from xero_service.domain import AuditAction

SOURCES = Path(xero_service.__file__).parent


async def test_an_action_of_a_newer_replica_is_shown_as_it_is(world: World) -> None:
    admin = await world.acme_admin()
    await world.database.execute(
        "INSERT INTO audit_events (org_id, actor_kind, actor_id, action, outcome)"
        " VALUES ('org_acme', 'system', 'x', 'contact.exported', 'ok')"
    )

    answer = await admin.get("/activity")

    assert answer.status_code == 200
    assert [each["action"] for each in answer.json()["events"]] == ["contact.exported"]


def test_the_api_lists_all_actions() -> None:
    listed = assemble().openapi()["components"]["schemas"]["AuditAction"]["enum"]

    assert listed == [each.value for each in AuditAction]


def test_every_action_is_recorded_somewhere() -> None:
    code = "".join(
        each.read_text() for each in SOURCES.rglob("*.py") if each.parent.name != "domain"
    )

    assert [each for each in AuditAction if f"AuditAction.{each.name}" not in code] == []
