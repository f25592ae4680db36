"""The statements of a token request, and the rows that it writes."""

import asyncio
from functools import partial
from uuid import UUID

import pytest

from tests.service_api.callers import Service, client_of, idle, service
from tests.service_api.conftest import Connected
from tests.world import Application, World, until
from xero_service.domain import SYSTEM
from xero_service.services.proxy import service as proxy_service
from xero_service.store import pools


async def test_a_token_read_is_one_statement(
    statements: list[str], application: Application, billing: Service, connected: Connected
) -> None:
    await billing.token(connected.id)  # audited, and its use noted
    await idle(application)
    statements.clear()

    response = await billing.token(connected.id)

    assert response.status_code == 200
    await idle(application)
    assert len(statements) == 1
    assert "JOIN service_keys" in statements[0]


async def test_calls_that_wait_for_a_connection_are_read_in_one_statement(
    statements: list[str],
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each gets its own answer, and one that gives up takes none from the others."""
    unknown = str(UUID(int=7))
    await billing.token(connected.id)
    await idle(application)
    statements.clear()

    async with connected.world.database.transaction():
        await connected.world.database.execute("LOCK TABLE service_keys")
        asked = [asyncio.create_task(billing.token(each)) for each in [connected.id, unknown] * 10]
        await until(partial(everybody_waits, application, len(asked)))
        asked.pop().cancel()
    answers = await asyncio.gather(*asked)

    assert [answer.status_code for answer in answers] == ([200, 404] * 10)[:-1]
    reads = [each for each in statements if "JOIN service_keys" in each]
    assert len(reads) == pools.SINGLE_STATEMENT_CONNECTIONS + 1


async def everybody_waits(application: Application, callers: int) -> bool:
    """Whether all connections for reads are in use, and who has none waits in one line."""
    waiting = application.services.authorizer.reads._batch
    return sum(map(len, waiting.values())) == callers - pools.SINGLE_STATEMENT_CONNECTIONS


@pytest.fixture
async def called_before(
    statements: list[str],
    application: Application,
    billing: Service,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The key's use is recorded already, and an authorization outlasts a slow machine."""
    monkeypatch.setattr(proxy_service, "DECISION_SECONDS", 60.0)
    await billing.calls(connected.id)
    await idle(application)
    statements.clear()


@pytest.mark.usefixtures("called_before")
async def test_a_call_that_waits_for_nothing_is_decided_once(
    statements: list[str], billing: Service, connected: Connected
) -> None:
    response = await billing.calls(connected.id)

    assert response.status_code == 200
    assert len([each for each in statements if "JOIN service_keys" in each]) == 1


@pytest.mark.usefixtures("called_before")
async def test_a_proxied_call_is_two_statements_before_it_and_one_after_it(
    statements: list[str], application: Application, billing: Service, connected: Connected
) -> None:
    """It is authorised, then it acquires a slot of its tenant's; then it releases the slot."""
    assert (await billing.calls(connected.id)).status_code == 200

    await idle(application)
    authorising, acquiring, releasing = statements
    assert "JOIN service_keys" in authorising
    assert "UPDATE call_budgets" in acquiring
    assert "UPDATE call_budgets" in releasing


async def test_an_issue_is_audited_once_however_often_it_is_read(
    application: Application, replica: Application, billing: Service, connected: Connected
) -> None:
    """S49: once per key, binding, access token and source address, across replicas."""
    elsewhere = Service(billing.made, client_of(replica))

    responses = await asyncio.gather(
        *((billing if n % 2 else elsewhere).token(connected.id) for n in range(50))
    )

    assert {r.status_code for r in responses} == {200}
    assert len({r.json()["accessToken"] for r in responses}) == 1
    (row,) = await connected.world.audited("token.issued")
    assert row["actor_kind"] == "service"
    assert row["actor_id"] == str(billing.made.key.id)
    assert row["org_id"] == "org_acme"
    assert str(row["binding_id"]) == connected.id
    assert row["source"] == "127.0.0.1"
    assert row["request_id"]


async def test_another_key_address_or_token_is_another_issue(
    application: Application, billing: Service, connected: Connected
) -> None:
    """S49."""
    other_key = await service(application, name="payroll")
    other_source = Service(billing.made, client_of(application, source="127.0.0.2"))

    for each in (billing, other_key, other_source, billing, other_source):
        assert (await each.token(connected.id)).status_code == 200
    assert len(await connected.world.audited("token.issued")) == 3

    await connected.ages("-1 minutes")
    assert (await billing.token(connected.id)).status_code == 200
    assert len(await connected.world.audited("token.issued")) == 4


async def test_what_is_remembered_of_issues_does_not_grow_with_the_tokens(
    application: Application, billing: Service, connected: Connected
) -> None:
    for _ in range(3):
        await connected.ages("-1 minutes")
        assert (await billing.token(connected.id)).status_code == 200

    assert len(await connected.world.audited("token.issued")) == 3
    assert len(application.services.token_issuer.audited) == 1


async def test_a_token_whose_issue_cannot_be_audited_is_not_issued(
    billing: Service, connected: Connected
) -> None:
    """S50."""
    await connected.world.database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no space left'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON audit_events"
        " FOR EACH ROW EXECUTE FUNCTION refuse()"
    )

    for _ in range(2):
        response = await billing.token(connected.id)

        assert response.status_code >= 500
        assert "accessToken" not in response.text
        assert "eyJ" not in response.text


async def test_the_use_of_a_key_and_a_grant_is_noted(
    application: Application, billing: Service, connected: Connected, world: World
) -> None:
    await billing.token(connected.id)
    await idle(application)

    (key,) = await application.services.keys.all()
    assert key.last_used_at is not None
    assert (await world.grant(connected.grant_id))["last_used_at"] is not None
    binding = (await connected.admin.bindings()).popitem()[1]
    assert binding["lastUsedAt"] is not None


async def test_a_revoked_key_is_refused_on_every_replica_at_once(
    application: Application, replica: Application, billing: Service, connected: Connected
) -> None:
    """S14."""
    elsewhere = Service(billing.made, client_of(replica))
    assert (await elsewhere.token(connected.id)).status_code == 200

    await application.services.keys.revoke(SYSTEM, billing.made.key.id)

    assert (await elsewhere.token(connected.id)).status_code == 401
    assert (await elsewhere.calls(connected.id)).status_code == 401

    async def refusal_is_audited() -> bool:
        return bool(await connected.world.audited("access.denied"))

    await until(refusal_is_audited)
