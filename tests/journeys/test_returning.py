"""Coming back from Xero: whose session counts, what a callback answers, and how often it acts."""

import asyncio

import pytest

from tests.people import Landing, Person
from tests.world import ACCOUNTANT, GLOBEX, GLOBEX_ADMIN, World
from xero_sandbox.samples import ACME_TRADING

EXPIRED = -60


async def signed_in_as(world: World, person_id: str, org_id: str | None, **options: int) -> str:
    return (await world.person(person_id, org_id)).token(**options)


@pytest.mark.parametrize("lifetime", [60, EXPIRED], ids=["signed_in", "expired_a_minute_ago"])
async def test_the_starters_own_session_may_return_s29(world: World, lifetime: int) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    admin.wears(admin.token(lifetime_seconds=lifetime))

    landing = await admin.lands(callback)

    assert landing.grant_id


@pytest.mark.parametrize("lifetime", [60, EXPIRED], ids=["signed_in", "expired_a_minute_ago"])
@pytest.mark.parametrize(
    ("person_id", "org_id"),
    [(GLOBEX_ADMIN, GLOBEX), (ACCOUNTANT, "org_acme"), (GLOBEX_ADMIN, None)],
    ids=["another_org", "another_user_of_the_org", "no_active_org"],
)
async def test_somebody_else_who_is_signed_in_cannot_finish_s30(
    world: World, person_id: str, org_id: str | None, lifetime: int
) -> None:
    """S30."""
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING, returnTo="/start/page")
    admin.wears(await signed_in_as(world, person_id, org_id, lifetime_seconds=lifetime))

    landing = await admin.lands(callback)

    assert (landing.path, landing.error) == ("/start/page", "session_mismatch")
    assert world.calls("token") == []
    assert [row["outcome"] for row in await world.audited("connect.refused")] == [
        "session_mismatch"
    ]


async def test_the_same_person_with_another_org_active_cannot_finish_s30(world: World) -> None:
    """S30."""
    accountant = await world.accountant("org_acme")
    callback = await accountant.allows(ACME_TRADING)
    accountant.wears(await signed_in_as(world, ACCOUNTANT, GLOBEX))

    landing = await accountant.lands(callback)

    assert landing.error == "session_mismatch"
    assert world.calls("token") == []


async def test_an_impersonator_cannot_finish_for_the_person_s30(world: World) -> None:
    """S30."""
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    admin.wears(admin.token(claims={"act": {"sub": "user_support"}}))

    landing = await admin.lands(callback)

    assert landing.error == "session_mismatch"


async def cookie_that_says_nothing(admin: Person, other: Person, which: str) -> str:
    match which:
        case "garbage":
            return "garbage"
        case "forged":
            head, claims, signature = other.token().split(".")
            return f"{head}.{claims}.{signature[::-1]}"
        case _:
            return other.token(lifetime_seconds=-11 * 60)


@pytest.mark.parametrize("which", ["garbage", "forged", "long_expired"])
async def test_a_session_cookie_that_proves_nothing_counts_as_absent_s29(
    world: World, which: str
) -> None:
    admin, other = await world.acme_admin(), await world.globex_admin()
    callback = await admin.allows(ACME_TRADING)
    admin.wears(await cookie_that_says_nothing(admin, other, which))

    landing = await admin.lands(callback)

    assert landing.grant_id


async def test_two_identical_callbacks_at_once_are_one_exchange_s27(world: World) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    hold = world.hold("token.code")

    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(admin.lands(callback)) for _ in range(2)]
        await hold.reached()
        await hold.release()

    first, second = (task.result() for task in both)
    assert first == second
    assert first.grant_id
    assert len(world.calls("token")) == 1


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch"}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "prefetch"}),
        ("GET", {"X-Moz": "prefetch"}),
    ],
)
async def test_a_look_ahead_consumes_nothing_s27(
    world: World, method: str, headers: dict[str, str]
) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)

    looked = await admin.http.request(method, callback, headers=headers)

    assert looked.status_code == 204
    assert world.calls("token") == []
    assert (await admin.lands(callback)).grant_id


async def test_a_callback_answers_so_that_nothing_of_it_is_kept_s28(world: World) -> None:
    """S28."""
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)

    response = await admin.returns(callback)

    assert response.status_code == 303
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.content == b""
    for secret in ("code=", "state="):
        assert secret not in response.headers["location"]


async def test_two_tabs_of_one_browser_both_finish_in_any_order(world: World) -> None:
    admin = await world.acme_admin()
    first = await admin.starts(returnTo="/first")
    second = await admin.starts(returnTo="/second")

    later = await admin.lands(world.sandbox.consent(second, "xero-user-1", [ACME_TRADING]))
    earlier = await admin.lands(world.sandbox.consent(first, "xero-user-1", []))

    assert (later.path, earlier.path) == ("/second", "/first")
    assert later.grant_id
    assert earlier.grant_id


async def test_the_browser_lands_on_the_page_that_it_came_from(world: World) -> None:
    admin = await world.acme_admin()

    response = await admin.returns(await admin.allows(ACME_TRADING, returnTo="/teams/7/billing"))

    frontend = world.application.settings.frontend_url
    assert response.headers["location"].startswith(f"{frontend}/teams/7/billing?action=")
    assert Landing.of(response).path == "/teams/7/billing"
