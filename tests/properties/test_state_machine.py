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
    rule,
    run_state_machine_as_test,
)
from pydantic import SecretStr

from demo.postgres import Postgres
from tests.clock import time_passes
from tests.properties.actions import Deeds
from tests.properties.invariants import Invariants
from tests.properties.killable_process import Mortal
from tests.service_api.callers import service
from tests.world import ACME, GLOBEX
from xero_sandbox import samples
from xero_sandbox.client import SandboxClient, SandboxError
from xero_service.crypto import KeyRing
from xero_service.failpoints import Place
from xero_service.settings import Settings

T = TypeVar("T")
GRACE = 30 * 60
LEASE = 31
orgs = st.sampled_from([ACME, GLOBEX])
users = st.sampled_from([samples.ACCOUNTANT, samples.ACME_BOOKKEEPER]).map(
    lambda user: user.xero_user_id
)
tenants = st.sampled_from([samples.ACME_TRADING, samples.ACME_SERVICES])
whens = st.sampled_from(["before", "after"])
some = st.integers(min_value=0, max_value=7)
HARMLESS = ("500", "503", "429", "html403", "drop")
ANSWER_LOST = ("drop", "502", "malformed_json", "missing_refresh_token")


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
        self.is_calm = True  # no answer of Xero's can be lost, and nobody dies
        self.run(self._begin())

    async def _begin(self) -> None:
        told = self.configuration
        told = told.model_copy(update={"database_url": SecretStr(self.url)})
        self.process = Mortal(told)
        self.process.__enter__()
        await self.process.begin()
        self.sql = await asyncpg.connect(self.url)
        self.law = Invariants(self.sql, self.xero, KeyRing(told.encryption_keys()[0]))
        key = await service(self.process.application, org_id=None)
        self.deeds = Deeds(self.process, self.xero, self.sql, self.law, key)

    def run(self, deed: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(deed)

    def does(self, deed: Coroutine[Any, Any, T]) -> T | None:
        return self.run(self.process.does(deed))

    def excuse_where_a_set_never_came(self, user: str) -> None:
        """Xero issued it, and may have ended the one before; a code works once."""
        if self.run(self.law.is_lost(user)):
            assert user in self.excused or not self.is_calm, "nothing kept the set from us"
            self.excused.add(user)
        else:
            self.excused.discard(user)

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
        self.does(self.deeds.connect(org, user, tenant))
        self.excuse_where_a_set_never_came(user)

    @rule(org=orgs, expired=st.booleans())
    def refreshes(self, org: str, expired: bool) -> None:
        if expired:
            self.access_tokens_expire()
        self.does(self.deeds.refresh(org))

    @rule(number=some, expired=st.booleans())
    def a_service_reads(self, number: int, expired: bool) -> None:
        if expired:
            self.access_tokens_expire()
        self.does(self.deeds.read(number))

    @rule(number=some)
    def disconnects(self, number: int) -> None:
        self.does(self.deeds.disconnect(number))

    @rule(number=some, resume=st.booleans())
    def an_operator_suspends_or_resumes(self, number: int, resume: bool) -> None:
        """S56: whichever org binds the tenant from then on."""
        self.run(self.deeds.suspend(number, resume))

    @rule(number=some, tenant=tenants, when=whens, consents=st.booleans())
    def somebody_acts_during_a_refresh(
        self, number: int, tenant: str, when: Any, consents: bool
    ) -> None:
        """The same Xero user consents anew, or the binding is disconnected."""
        binding = self.run(self.deeds.binding(number))
        if binding is None:
            return
        org, user = binding["clerk_org_id"], binding["xero_user_id"]
        self.access_tokens_expire()
        hold = self.xero.fault("token.refresh", "hold", when=when, times=None)
        self.does(
            self.deeds.during_a_refresh(
                org,
                hold,
                lambda: (
                    self.deeds.connect(org, user, tenant)
                    if consents
                    else self.deeds.disconnect(number)
                ),
            )
        )
        self.xero.release(hold)
        self.excuse_where_a_set_never_came(user)

    # What time and upkeep do

    def access_tokens_expire(self) -> None:
        self.run(self.sql.execute("UPDATE integration_grants SET expires_at = now()"))

    @rule(seconds=st.sampled_from([2, 20, 100, GRACE + 60, 26 * 3600]))
    def time_goes_by(self, seconds: int) -> None:
        if seconds > GRACE:
            self.excuse_whoever_is_in_the_middle()
        self.run(self.passes(seconds))

    @rule()
    def upkeep_comes_by(self) -> None:
        self.does(self.deeds.upkeep())

    # What goes wrong

    @rule(place=st.sampled_from(list(Place)), org=orgs, user=users, tenant=tenants, number=some)
    def the_process_dies(self, place: Place, org: str, user: str, tenant: str, number: int) -> None:
        """Over the deed that comes by this place."""
        self.process.armed = place
        deed = place.value.partition(":")[0]
        if deed == "refresh":
            self.access_tokens_expire()
            self.does(self.deeds.read(number))
        elif deed == "disconnect":
            self.does(self.deeds.disconnect(number))
        else:
            was_calm, self.is_calm = self.is_calm, False
            self.does(self.deeds.connect(org, user, tenant))
            self.excuse_where_a_set_never_came(user)
            self.is_calm = was_calm
        self.process.armed = None
        self.time_goes_by(LEASE)  # what it held is free again; tests/crashes wait for that

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
        self.is_calm = False

    @rule(fault=st.sampled_from(ANSWER_LOST), number=some, disconnects=st.booleans())
    def an_answer_of_xero_is_lost(self, fault: str, number: int, disconnects: bool) -> None:
        """Xero did what was asked, and we did not hear."""
        self.is_calm = False
        if disconnects:
            self.xero.fault("revocation", fault, when="after")
            self.does(self.deeds.disconnect(number))
        else:
            self.xero.fault("token.refresh", fault, when="after")
            self.access_tokens_expire()
            self.does(self.deeds.read(number))

    @rule()
    def xero_is_back(self) -> None:
        self.xero.clear_faults()
        self.is_calm = True

    @rule(user=users, tenant=tenants, altogether=st.booleans())
    def a_user_disconnects_in_xero(self, user: str, tenant: str, altogether: bool) -> None:
        self.xero.switch(disconnectInXero="kills_grant" if altogether else "keeps_grant")
        try:
            self.xero.disconnect(user, tenant)
        except SandboxError:
            return
        if altogether:
            self.excused.add(user)

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
        """Xero is back, upkeep comes by, and a day later everything still works."""
        self.xero.clear_faults()
        await self.quietens_down()
        await self.passes(26 * 3600)
        await self.quietens_down()
        await self.law.hold_now(self.excused)
        await self.law.hold_in_the_end(self.deeds.billing(ACME))

    async def quietens_down(self) -> None:
        for _ in range(8):
            await self.process.does(self.deeds.upkeep())
            if await self.law.is_settled():
                return
            await self.passes(45)

    async def passes(self, seconds: int) -> None:
        await time_passes(self.sql, seconds)
        self.xero.advance(seconds)


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

# A process that is killed, even amid its first announcement, returns no connection to a pool.
no_return = pytest.mark.filterwarnings(
    "ignore:The garbage collector is trying to clean up:sqlalchemy.exc.SAWarning"
)


@no_return
def test_whatever_happens_no_grant_is_lost_r26(life: type[Life]) -> None:
    few = settings(USUAL, max_examples=3, stateful_step_count=18, derandomize=True)
    run_state_machine_as_test(life, settings=few)


@no_return
@pytest.mark.soak
def test_whatever_happens_for_a_long_time_no_grant_is_lost_r26(life: type[Life]) -> None:
    many = settings(USUAL, max_examples=200, stateful_step_count=40)
    run_state_machine_as_test(life, settings=many)
