"""GET and DELETE /connections."""

import re

import pytest

from tests.sandbox.sample_app import SampleApp, Tokens, bearer
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient


@pytest.fixture
def tokens(app: SampleApp) -> Tokens:
    return app.sign_in("xero-user-1", samples.ACME_TRADING)


def test_a_connection_has_the_documented_fields_and_dates_without_zone(
    app: SampleApp, tokens: Tokens
) -> None:
    (found,) = app.connections(tokens)

    assert list(found) == [
        "id",
        "authEventId",
        "tenantId",
        "tenantType",
        "tenantName",
        "createdDateUtc",
        "updatedDateUtc",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}", found["createdDateUtc"])
    assert (found["tenantType"], found["tenantName"]) == ("ORGANISATION", "Acme Trading Ltd")


def test_both_spellings_of_the_path_work(app: SampleApp, tokens: Tokens) -> None:
    answer = app.http.get("/api/Connections", headers=bearer(tokens))

    assert answer.json() == app.connections(tokens)


def test_name_and_event_can_be_null(app: SampleApp, sandbox: SandboxClient, tokens: Tokens) -> None:
    sandbox.switch(nullTenantNames=True, nullAuthEventIds=True)

    (found,) = app.connections(tokens)

    assert found["tenantName"] is None
    assert found["authEventId"] is None


def test_the_order_can_be_shuffled_and_nothing_is_lost(
    app: SampleApp, sandbox: SandboxClient
) -> None:
    for tenant_id in samples.TEN_ORGS:
        sandbox.connect("xero-user-4", tenant_id)
    tokens = app.sign_in("xero-user-4")
    sandbox.switch(shuffleConnections=True)

    orders = [tuple(each["tenantId"] for each in app.connections(tokens)) for _ in range(10)]

    assert len(set(orders)) > 1
    assert {frozenset(order) for order in orders} == {frozenset(samples.TEN_ORGS)}


def test_deleting_unlinks_one_tenant_and_the_grant_lives_on(app: SampleApp, tokens: Tokens) -> None:
    (found,) = app.connections(tokens)

    answer = app.delete_connection(tokens, found["id"])

    assert (answer.status_code, answer.content) == (204, b"")
    assert app.connections(tokens) == []
    assert app.organisation(tokens, samples.ACME_TRADING).status_code == 403
    assert app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("status", [404, 403])
def test_deleting_an_unknown_or_deleted_connection_answers_as_switched(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens, status: int
) -> None:
    sandbox.switch(deleteUnknown=status)
    (found,) = app.connections(tokens)
    app.delete_connection(tokens, found["id"])

    assert app.delete_connection(tokens, found["id"]).status_code == status
    assert app.delete_connection(tokens, samples.GLOBEX).status_code == status


@pytest.mark.parametrize("mistake", ["tenantId", "authEventId"])
def test_deleting_by_another_id_than_the_connections_is_forbidden(
    app: SampleApp, tokens: Tokens, mistake: str
) -> None:
    (found,) = app.connections(tokens)

    answer = app.delete_connection(tokens, found[mistake])

    assert answer.status_code == 403
    assert answer.json()["Detail"] == "AuthenticationUnsuccessful"
    assert app.connections(tokens) == [found]


@pytest.mark.parametrize("status", [403, 404])
def test_deleting_another_users_connection_is_refused(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens, status: int
) -> None:
    sandbox.switch(deleteForeign=status)
    (found,) = app.connections(tokens)
    other = app.sign_in("xero-user-3", samples.ACME_TRADING)

    assert app.delete_connection(other, found["id"]).status_code == status

    assert app.connections(tokens) == [found]


@pytest.mark.parametrize(("reconnect_id", "same"), [("reused", True), ("new", False)])
def test_reconnecting_brings_the_record_back_with_its_creation_date(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens, reconnect_id: str, same: bool
) -> None:
    sandbox.switch(reconnectId=reconnect_id)
    (before,) = app.connections(tokens)
    app.delete_connection(tokens, before["id"])
    sandbox.advance(60)

    (after,) = app.connections(app.sign_in("xero-user-1", samples.ACME_TRADING))

    assert (after["id"] == before["id"]) is same
    assert after["createdDateUtc"] == before["createdDateUtc"]
    assert after["updatedDateUtc"] > before["updatedDateUtc"]
    assert after["authEventId"] != before["authEventId"]


def test_connecting_a_connected_tenant_changes_nothing(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    before = app.connections(tokens)
    sandbox.advance(60)

    sandbox.connect("xero-user-1", samples.ACME_TRADING)

    assert app.connections(tokens) == before


def test_an_app_level_token_lists_and_deletes_what_dead_grants_left_behind(
    app: SampleApp, sandbox: SandboxClient, tokens: Tokens
) -> None:
    form = {"grant_type": "client_credentials", "scope": "app.connections"}
    headers = bearer(app.token(form).json())

    by_tenant = app.http.get(
        "/api/connections", headers=headers | {"xero-tenant-id": samples.ACME_TRADING}
    ).json()
    by_user = app.http.get(
        "/api/connections",
        headers=headers | {"xero-user-id": samples.ACME_BOOKKEEPER.xero_user_id},
    ).json()
    deleted = app.http.delete(f"/api/connections/{by_tenant[0]['id']}", headers=headers)

    assert by_tenant == by_user
    assert deleted.status_code == 204
    assert app.connections(tokens) == []
