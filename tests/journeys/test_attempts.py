"""Callbacks that must not connect anything: each lands with a word, none reaches Xero (S20)."""

from urllib.parse import urlsplit

import pytest

from tests.people import Landing
from tests.world import World
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING

DEFAULT = "/settings/integrations"
PREFIX = "/api/integrations/xero"


def exchanges(world: World) -> int:
    return len(world.calls("token"))


async def refusals(world: World) -> list[str]:
    return [row["outcome"] for row in await world.audited("connect.refused")]


@pytest.mark.parametrize("query", ["", "?code=abc", "?state=", "?code=abc&state=unheard-of"])
async def test_a_missing_or_unknown_state_is_a_mismatch_s20(world: World, query: str) -> None:
    admin = await world.acme_admin()
    await admin.starts()

    landing = Landing.of(await admin.http.get(f"{PREFIX}/callback{query}"))

    assert (landing.path, landing.error) == (DEFAULT, "flow_mismatch")
    assert exchanges(world) == 0
    assert await refusals(world) == ["flow_mismatch"]


async def test_parameters_of_any_length_still_land(world: World) -> None:
    admin = await world.acme_admin()

    landing = await admin.lands(f"{PREFIX}/callback?state={'s' * 5000}&code={'c' * 5000}")

    assert landing.error == "flow_mismatch"


async def test_an_attempt_lives_ten_minutes_s20(world: World) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING, returnTo="/settings/books")
    await world.database.execute("UPDATE verification_tokens SET expires = now()")

    landing = await admin.lands(callback)

    assert (landing.path, landing.error) == ("/settings/books", "flow_expired")
    assert exchanges(world) == 0
    assert await refusals(world) == ["flow_expired"]


async def test_a_repeated_callback_lands_where_the_first_one_did_s20(world: World) -> None:
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    first = await admin.lands(callback)

    again = await admin.lands(callback)

    assert again == first
    assert first.grant_id
    assert exchanges(world) == 1


async def test_a_callback_replayed_in_another_browser_learns_nothing_s20(world: World) -> None:
    admin, thief = await world.acme_admin(), await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    await admin.lands(callback)

    landing = await thief.lands(callback)

    assert (landing.path, dict(landing.query)) == (DEFAULT, {"error": "flow_mismatch"})
    assert exchanges(world) == 1


async def test_a_browser_without_the_flow_cookie_cannot_finish_s20(world: World) -> None:
    admin, other = await world.acme_admin(), await world.acme_admin()
    callback = await admin.allows(ACME_TRADING, returnTo="/elsewhere")

    landing = await other.lands(callback)

    assert (landing.path, landing.error) == (DEFAULT, "flow_mismatch")
    assert exchanges(world) == 0


async def test_a_browser_with_a_flow_cookie_of_its_own_cannot_finish_anothers_s20(
    world: World,
) -> None:
    admin, other = await world.acme_admin(), await world.acme_admin()
    await other.starts()
    callback = await admin.allows(ACME_TRADING)

    landing = await other.lands(callback)

    assert landing.error == "flow_mismatch"
    assert exchanges(world) == 0
    assert await refusals(world) == ["flow_mismatch"]


async def test_an_attempt_that_was_refused_once_cannot_be_used_any_more(world: World) -> None:
    admin, other = await world.acme_admin(), await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)
    await other.lands(callback)

    landing = await admin.lands(callback)

    assert landing.error == "flow_mismatch"
    assert exchanges(world) == 0


async def test_the_code_of_another_flow_is_refused_s23(world: World) -> None:
    """PKCE ties the code to the attempt that asked for it: Xero itself says no."""
    admin = await world.acme_admin()
    first, second = await admin.allows(ACME_TRADING), await admin.allows()
    code = next(p for p in urlsplit(first).query.split("&") if p.startswith("code="))
    state = next(p for p in urlsplit(second).query.split("&") if p.startswith("state="))

    landing = await admin.lands(f"{PREFIX}/callback?{code}&{state}")

    assert landing.error == "exchange_failed"
    assert await world.grants() == []


async def test_an_answer_in_the_name_of_another_issuer_is_refused_s23(world: World) -> None:
    """S23."""
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)

    landing = await admin.lands(f"{callback}&iss=https%3A%2F%2Fevil.example.com")

    assert landing.error == "flow_mismatch"
    assert exchanges(world) == 0


async def test_an_answer_in_the_name_of_xero_is_accepted_s23(world: World) -> None:
    """S23."""
    admin = await world.acme_admin()
    callback = await admin.allows(ACME_TRADING)

    landing = await admin.lands(f"{callback}&iss={world.application.settings.xero_issuer}")

    assert landing.grant_id


async def test_cancelling_at_xero_is_no_error_of_ours_and_uses_the_attempt_up_s26(
    world: World,
) -> None:
    """S26."""
    admin = await world.acme_admin()
    callback = world.sandbox.cancel(await admin.starts(), ACME_BOOKKEEPER.xero_user_id)

    landing = await admin.lands(callback)

    assert dict(landing.query) == {"error": "access_denied"}
    assert exchanges(world) == 0
    assert await world.database.fetchval("SELECT token FROM verification_tokens") is None
    state = next(p for p in urlsplit(callback).query.split("&") if p.startswith("state="))
    late = await admin.lands(f"{PREFIX}/callback?code=abc&{state}")
    assert late.error == "access_denied"
    assert exchanges(world) == 0


async def test_what_the_provider_writes_is_never_passed_on_s26(world: World) -> None:
    """S26."""
    admin = await world.acme_admin()
    state = (await admin.starts()).partition("state=")[2].partition("&")[0]

    response = await admin.returns(
        f"{PREFIX}/callback?error=%3Cscript%3E&error_description=%3Cb%3Ebold&state={state}"
    )

    assert Landing.of(response).error == "exchange_failed"
    assert "script" not in response.headers["location"]
    assert "bold" not in response.headers["location"]
    assert exchanges(world) == 0


async def test_an_answer_with_neither_code_nor_error_is_a_failed_exchange(world: World) -> None:
    admin = await world.acme_admin()
    state = (await admin.starts()).partition("state=")[2].partition("&")[0]

    landing = await admin.lands(f"{PREFIX}/callback?state={state}")

    assert landing.error == "exchange_failed"
    assert exchanges(world) == 0
