"""Any order of people, time, crashes and outages: a state machine over the service (R26)."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from demo.postgres import Postgres
from tests.clock import time_passes
from tests.internal.callers import client_of, service
from tests.people import Person
from tests.properties.invariants import Invariants
from tests.properties.mortal import Mortal
from tests.world import ACCOUNTANT, ACME, GLOBEX
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient, SandboxError
from xero_service.crypto import KeyRing
from xero_service.failpoints import Place
from xero_service.settings import Settings

T = TypeVar("T")
GRACE = 30 * 60
orgs = st.sampled_from([ACME, GLOBEX])
users = st.sampled_from([samples.ACCOUNTANT, samples.ACME_BOOKKEEPER]).map(
    lambda user: user.xero_user_id
)
tenants = st.sampled_from([samples.ACME_TRADING, samples.ACME_SERVICES])
some = st.integers(min_value=0, max_value=7)
HARMLESS = ("500", "503", "429", "html403", "drop")
TOKENS_LOST = ("drop", "502", "malformed_json", "missing_refresh_token")
EXPECTED = {200, 201, 403, 404, 409, 422, 429, 502, 503}


class Life(RuleBasedStateMachine):
    """Two orgs, two Xero users, two tenants, one process after another."""

    server: Postgres
    template: str
    xero: SandboxClient
    configuration: Settings

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.url = self.server.create_database(template=self.template)
        self.xero.reset()
        self.excused: set[str] = set()  # Xero users whose set may be lost beyond our powers
        self.run(self._begin())

    async def _begin(self) -> None:
        told = self.configuration
        told = told.model_copy(update={"database_url": type(told.database_url)(self.url)})
        self.process = Mortal(told)
        self.process.__enter__()
        await self.process.begin()
        self.sql = await asyncpg.connect(self.url)
        keys = KeyRing(told.encryption_keys()[0])
        self.law = Invariants(self.sql, self.xero, keys)
        self.billing = await service(self.process.application, org_id=None)

    def run(self, deed: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(deed)

    def does(self, deed: Coroutine[Any, Any, T]) -> T | None:
        return self.run(self.process.does(deed))

    def person(self, org: str) -> Person:
        application = self.process.application
        return Person(
            ACCOUNTANT, org, self.xero, application.http(), application.settings.frontend_url
        )

    def row(self, table: str, number: int) -> asyncpg.Record | None:
        rows = self.run(self.sql.fetch(f"SELECT * FROM {table} ORDER BY id"))  # noqa: S608
        return rows[number % len(rows)] if rows else None

    def excuse_whoever_is_in_the_middle(self) -> None:
        """An answer that was lost can be had again within Xero's grace, and not later."""
        rows = self.run(
            self.sql.fetch(
                "SELECT xero_user_id FROM integration_grants WHERE refresh_sent_at IS NOT NULL"
            )
        )
        self.excused |= {row["xero_user_id"] for row in rows}

    # What people do

    @initialize(org=orgs, user=users, tenant=tenants)
    def begins_with_a_connection(self, org: str, user: str, tenant: str) -> None:
        self.connects(org, user, tenant)

    @rule(org=orgs, user=users, tenant=tenants)
    def connects(self, org: str, user: str, tenant: str) -> None:
        deaths = len(self.process.deaths)

        async def connect() -> bool:
            person = self.person(org)
            address = await person.get("/start")
            if address.status_code != 200:
                return False
            url = address.json()["authorizationUrl"]
            try:
                callback = self.xero.consent(url, user, [tenant])
            except SandboxError:
                callback = self.xero.consent(url, user, [])
            landing = await person.lands(callback)
            if landing.error is not None:
                return landing.error == "no_tenants"
            answer = await person.post(
                "/tenants/select", {"grantId": landing.grant_id, "tenantId": tenant}
            )
            assert answer.status_code in EXPECTED, answer.text
            return True

        if not self.does(connect()):
            # Xero may have issued a set that never reached us, and ended the one before.
            self.excused.add(user)
        elif len(self.process.deaths) == deaths:
            self.excused.discard(user)

    @rule(org=orgs)
    def refreshes(self, org: str) -> None:
        answer = self.does(self.person(org).post("/refresh"))
        if answer is not None:
            assert answer.status_code in EXPECTED, answer.text
            if answer.status_code == 200:
                assert "internal_error" not in answer.text

    @rule(number=some)
    def a_service_reads(self, number: int) -> None:
        binding = self.row("integration_tenant_bindings", number)
        if binding is None:
            return
        answer = self.does(self.billing_of(binding["clerk_org_id"]).token(str(binding["id"])))
        if answer is not None:
            assert answer.status_code in EXPECTED, answer.text
            if answer.status_code == 200:
                token = answer.json()["accessToken"]
                self.run(self.law.hold_of_an_issue(binding["id"], token))

    def billing_of(self, org: str) -> Any:
        billing = self.billing.naming(org)
        return type(billing)(billing.made, client_of(self.process.application), org)

    @rule(number=some)
    def disconnects(self, number: int) -> None:
        binding = self.row("integration_tenant_bindings", number)
        if binding is None:
            return
        answer = self.does(
            self.person(binding["clerk_org_id"]).post(
                "/disconnect", {"tenantBindingId": str(binding["id"])}
            )
        )
        assert answer is None or answer.status_code in EXPECTED, answer.text

    # What time and upkeep do

    @rule()
    def access_tokens_expire(self) -> None:
        self.run(self.sql.execute("UPDATE integration_grants SET expires_at = now()"))

    @rule(seconds=st.sampled_from([2, 20, 100, GRACE + 60, 26 * 3600]))
    def time_goes_by(self, seconds: int) -> None:
        if seconds > GRACE:
            self.excuse_whoever_is_in_the_middle()
        self.run(time_passes(self.sql, seconds))
        self.xero.advance(seconds)

    @rule()
    def upkeep_comes_by(self) -> None:
        self.does(self.upkeep())

    async def upkeep(self) -> None:
        await self.process.application.services.upkeep.round()

    # What goes wrong

    @rule(place=st.sampled_from(list(Place)))
    def the_process_will_die(self, place: Place) -> None:
        self.process.armed = place

    @rule()
    def is_restarted(self) -> None:
        async def restart() -> None:
            await self.process.end()
            await self.process.begin()

        self.run(restart())

    @rule(
        kind=st.sampled_from(["token.refresh", "revocation", "connections", "api", "token.code"]),
        fault=st.sampled_from(HARMLESS),
        lasts=st.booleans(),
    )
    def xero_is_away(self, kind: str, fault: str, lasts: bool) -> None:
        self.xero.fault(kind, fault, times=None if lasts else 1)

    @rule(kind=st.sampled_from(["token.refresh", "revocation"]), fault=st.sampled_from(TOKENS_LOST))
    def an_answer_of_xero_is_lost(self, kind: str, fault: str) -> None:
        self.xero.fault(kind, fault, when="after")

    @rule()
    def xero_is_back(self) -> None:
        self.xero.clear_faults()

    @rule(user=users, tenant=tenants, altogether=st.booleans())
    def a_user_disconnects_in_xero(self, user: str, tenant: str, altogether: bool) -> None:
        self.xero.switch(disconnectInXero="kills_grant" if altogether else "keeps_grant")
        try:
            self.xero.disconnect(user, tenant)
        except SandboxError:
            return
        if altogether:
            self.excused.add(user)

    @precondition(lambda self: not self.process.deaths)
    @rule(user=users, tenant=tenants, role=st.sampled_from([None, "adviser"]))
    def a_user_loses_or_gains_access(self, user: str, tenant: str, role: Any) -> None:
        self.xero.set_role(user, tenant, role)

    @invariant()
    def what_always_holds(self) -> None:
        self.run(self.law.hold_now(self.excused))

    def teardown(self) -> None:
        try:
            self.run(self.settles())
        finally:
            self.process.__exit__()
            self.run(self.process.end())
            self.run(self.sql.close())
            self.runner.close()
            self.server.drop_database(self.url)

    async def settles(self) -> None:
        self.xero.clear_faults()
        self.process.armed = None
        for _ in range(8):
            await self.process.does(self.upkeep())
            if await self.law.is_settled():
                break
            await time_passes(self.sql, 45)
            self.xero.advance(45)
        await self.sql.execute("UPDATE integration_tenant_bindings SET last_checked_at = NULL")
        await self.process.does(self.upkeep())
        await self.law.hold_now(self.excused)
        await self.law.hold_in_the_end(self.billing_of(ACME))


@pytest.fixture
def life(
    postgres_server: Postgres, template: str, sandbox: SandboxClient, settings: Settings
) -> type[Life]:
    return type(
        "Life",
        (Life,),
        {
            "server": postgres_server,
            "template": template,
            "xero": sandbox,
            "configuration": settings,
        },
    )


USUAL = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    print_blob=True,
)


def test_whatever_happens_no_grant_is_lost_r26(life: type[Life]) -> None:
    few = settings(USUAL, max_examples=8, stateful_step_count=20, derandomize=True)
    run_state_machine_as_test(life, settings=few)


@pytest.mark.soak
def test_whatever_happens_for_a_long_time_no_grant_is_lost_r26(life: type[Life]) -> None:
    many = settings(USUAL, max_examples=200, stateful_step_count=40)
    run_state_machine_as_test(life, settings=many)
