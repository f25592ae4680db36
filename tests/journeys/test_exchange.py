"""The exchange of a code: what comes back broken is not believed, what was stored stays."""

from typing import Any

import pytest

from tests.world import World
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING, GLOBEX_BOOKKEEPER

REQUIRED = "openid profile email offline_access"


async def stored(world: World) -> list[tuple[Any, ...]]:
    """Everything about grants and bindings that a failed consent must leave as it is."""
    grants = await world.database.fetch(
        "SELECT id, status, generation, access_token_enc, refresh_token_enc, superseded_by"
        " FROM integration_grants ORDER BY id"
    )
    bindings = await world.database.fetch(
        "SELECT id, status, active_grant_id FROM integration_tenant_bindings ORDER BY id"
    )
    return [tuple(row) for row in (*grants, *bindings)]


@pytest.mark.parametrize(
    ("fault", "when", "changes"),
    [
        ("500", "before", {}),
        ("503", "after", {}),
        ("429", "before", {}),
        ("html403", "before", {}),
        ("drop", "before", {}),
        ("drop", "after", {}),
        ("malformed_json", "after", {}),
        ("missing_refresh_token", "after", {}),
        ("invalid_client", "before", {}),
        ("changed_fields", "after", {"access_token": None}),
        ("changed_fields", "after", {"token_type": "mac"}),
        ("changed_fields", "after", {"expires_in": -1}),
        ("changed_fields", "after", {"expires_in": 10**12}),
        ("changed_fields", "after", {"padding": "x" * 70_000}),
    ],
)
async def test_a_token_answer_that_cannot_be_believed_changes_nothing_s32(
    world: World, fault: str, when: Any, changes: dict[str, Any]
) -> None:
    admin = await world.acme_admin()
    await admin.connects(ACME_TRADING)
    before = await stored(world)
    callback = await admin.allows(ACME_SERVICES)
    world.sandbox.fault("token.code", fault, when=when, changes=changes)

    landing = await admin.lands(callback)

    assert dict(landing.query) == {"error": "exchange_failed"}
    assert await stored(world) == before
    assert len(world.calls("token.code")) == 2  # a code is never sent twice


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        ("forged_id_token", {}),
        ("mixed_users", {}),
        ("changed_fields", {"id_token": None}),
        ("changed_id_token", {"iss": "https://evil.example.com"}),
        ("changed_id_token", {"aud": "another-client"}),
        ("changed_id_token", {"nonce": "another-nonce"}),
        ("changed_id_token", {"nonce": None}),
        ("changed_id_token", {"exp": 1_500_000_000}),
        ("changed_id_token", {"exp": None}),
        ("changed_id_token", {"xero_userid": GLOBEX_BOOKKEEPER.xero_user_id}),
    ],
)
async def test_an_id_token_that_does_not_hold_stores_nothing_s31(
    world: World, fault: str, changes: dict[str, Any]
) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    world.sandbox.fault("token.code", fault, when="after", changes=changes)

    landing = await admin.lands(callback)

    assert landing.error == "exchange_failed"
    assert await stored(world) == []
    assert await world.database.fetchval("SELECT count(*) FROM grant_authorisations") == 0


async def test_wrong_client_credentials_alarm_the_operator_r11(world: World) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    world.sandbox.fault("token.code", "invalid_client")

    landing = await admin.lands(callback)

    assert landing.error == "exchange_failed"
    alarm = 'xero_service_operator_alarms_total{kind="invalid_client"} 1.0'
    assert alarm in (await admin.http.get("/metrics")).text


async def test_fewer_scopes_than_needed_land_so_and_the_set_is_kept_s33_r19b(
    world: World,
) -> None:
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    callback = await admin.allows()
    world.sandbox.fault("token.code", "changed_fields", when="after", changes={"scope": REQUIRED})

    landing = await admin.lands(callback)

    assert landing.error == "insufficient_scope"
    (live,) = await world.grants()
    assert str(live["id"]) != binding["grantId"]
    assert (await admin.bindings())[ACME_TRADING]["status"] == "active"
    await world.ages(str(live["id"]))
    assert (await admin.refreshes())["refreshedCount"] == 1


async def test_a_consent_that_reaches_nothing_lands_so_and_the_set_is_kept_r19b(
    world: World,
) -> None:
    admin = await world.acme_admin()

    landing = await admin.consents()

    assert landing.error == "no_tenants"
    assert len(await world.grants()) == 1


async def test_a_consent_without_tenants_leaves_earlier_bindings_waiting_for_a_person_r19b(
    world: World,
) -> None:
    """The user disconnected the organisation in Xero, then consented without choosing one."""
    admin = await world.acme_admin()
    binding = await admin.connects(ACME_TRADING)
    world.sandbox.disconnect("xero-user-1", ACME_TRADING)

    landing = await admin.consents()

    assert landing.error == "no_tenants"
    (live,) = await world.grants()
    waiting = (await admin.bindings())[ACME_TRADING]
    assert (waiting["id"], waiting["status"]) == (binding["id"], "needs_reauth")
    assert waiting["grantId"] == str(live["id"])


async def test_more_scopes_than_asked_for_are_accepted_and_recorded_s33(world: World) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    granted = [*world.application.settings.xero_scopes, "files"]
    world.sandbox.fault(
        "token.code", "changed_fields", when="after", changes={"scope": " ".join(granted)}
    )

    landing = await admin.lands(callback)

    assert (await world.grant(landing.grant_id))["scopes"] == granted


@pytest.mark.parametrize("fault", ["503", "drop", "html403", "malformed_json"])
async def test_unreadable_connections_do_not_undo_a_consent(world: World, fault: str) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    world.sandbox.fault("connections.list", fault)

    landing = await admin.lands(callback)

    assert set(await admin.tenants(landing.grant_id)) == {ACME_TRADING}
    assert (await admin.selects(landing.grant_id, ACME_TRADING))["status"] == "active"


async def test_signing_keys_that_cannot_be_had_fail_before_the_code_is_spent(world: World) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    world.sandbox.fault("jwks", "503", times=None)

    landing = await admin.lands(callback)

    assert landing.error == "exchange_failed"
    assert world.calls("token") == []


async def test_tokens_are_stored_sealed_and_never_in_clear(world: World) -> None:
    admin = await world.acme_admin()

    binding = await admin.connects(ACME_TRADING)

    grant = await world.grant(binding["grantId"])
    for sealed in (grant["access_token_enc"], grant["refresh_token_enc"]):
        assert [len(part) for part in sealed.split(":")[:2]] == [24, 32]
        assert "eyJ" not in sealed
