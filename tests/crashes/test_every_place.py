"""R3, R4, R28: a process dies at each place there is; no grant is lost and nothing is half done."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.crashes.assertions import has_the_live_set
from tests.crashes.conftest import Doom
from tests.events.receiver import receiving
from tests.notices.mail_server import serving
from tests.notices.test_incidents import breaks
from tests.world import Application, Person, World, until
from tests.xero_webhooks.signed import (
    batch,
    gaps,
    key_of,
    resources,
    send,
    signature,
    xero_event,
)
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_SERVICES, ACME_TRADING
from xero_service.failpoints import Place
from xero_service.settings import Settings

Scene = Callable[[World, Person, Doom, Place], Awaitable[None]]


async def refreshes_in_the_end(world: World, admin: Person, grant_id: str) -> None:
    """A reader comes by again and again, as readers do, until it is served."""

    async def served() -> bool:
        report = await admin.refreshes()
        return not report["errors"] and await has_the_live_set(world, grant_id)

    await until(served, within=30)


async def connects_again(world: World, admin: Person, tenant_id: str, binding_id: str) -> None:
    """Reconnecting works at once or when the turn of the dead is over, and restores the binding."""

    async def restored() -> bool:
        landing = await admin.consents()
        if landing.error is not None:
            return False
        binding = await admin.selects(landing.grant_id, tenant_id)
        assert binding["id"] == binding_id
        return True

    await until(restored, within=40)
    bindings = await admin.bindings()
    assert bindings[tenant_id]["status"] == "active"
    assert await has_the_live_set(world, bindings[tenant_id]["grantId"])


async def dying_in_a_refresh(world: World, admin: Person, doom: Doom, place: Place) -> None:
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"])

    doom.at(place, "refresh", grant=binding["grantId"])

    await refreshes_in_the_end(world, admin, binding["grantId"])
    assert (await admin.bindings())[ACME_TRADING]["status"] == "active"
    assert (await world.grant(binding["grantId"]))["refresh_sent_at"] is None


async def dying_before_a_refusal_is_marked(
    world: World, admin: Person, doom: Doom, place: Place
) -> None:
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"])
    world.sandbox.switch(disconnectInXero="kills_grant")
    world.sandbox.disconnect(ACME_BOOKKEEPER.xero_user_id, ACME_TRADING)

    doom.at(place, "refresh", grant=binding["grantId"])

    assert (await world.grant(binding["grantId"]))["status"] == "active"
    await world.database.execute(
        "UPDATE integration_grants SET refresh_sent_at = now() - interval '10 minutes'"
    )

    async def given_up() -> bool:
        await admin.refreshes()
        row = await world.grant(binding["grantId"])
        return bool(row["status"] == "refresh_failed")

    await until(given_up, within=30)
    assert (await admin.bindings())[ACME_TRADING]["status"] == "needs_reauth"
    assert await written(world, "binding.needs_reauth") == 1
    landing = await admin.consents(ACME_TRADING)
    restored = await admin.selects(landing.grant_id, ACME_TRADING)
    assert restored["id"] == binding["id"]


async def dying_in_a_callback(world: World, admin: Person, doom: Doom, place: Place) -> None:
    binding = await admin.connects(ACME_TRADING)
    address = await admin.starts()
    returned = parse_qs(
        urlsplit(world.sandbox.consent(address, ACME_BOOKKEEPER.xero_user_id, [])).query
    )

    doom.at(
        place,
        "callback",
        state=returned["state"][0],
        code=returned["code"][0],
        browser=admin.http.cookies["xero_flow"],
    )

    assert set(await admin.bindings()) == {ACME_TRADING}
    assert len(await world.grants()) == 1
    await connects_again(world, admin, ACME_TRADING, binding["id"])
    assert len(await world.grants()) == 1


async def dying_after_a_selection(world: World, admin: Person, doom: Doom, place: Place) -> None:
    landing = await admin.consents(ACME_TRADING)

    doom.at(place, "select", grant=landing.grant_id, tenant=ACME_TRADING)

    (bound,) = (await admin.bindings()).values()
    again = await admin.selects(landing.grant_id, ACME_TRADING)
    assert again["id"] == bound["id"]
    assert await written(world, "binding.connected") == 1


async def dying_in_a_disconnect_of_one(
    world: World, admin: Person, doom: Doom, place: Place
) -> None:
    binding = await admin.connects(ACME_TRADING)
    kept = await admin.connects(ACME_SERVICES)

    doom.at(place, "disconnect", binding=binding["id"])

    await settles(world)
    assert connected(world) == {ACME_SERVICES}
    assert set(await admin.bindings()) == {ACME_SERVICES}
    assert await written(world, "binding.disconnected") == 1
    await world.ages(kept["grantId"])
    await refreshes_in_the_end(world, admin, kept["grantId"])


async def dying_in_a_disconnect_of_the_last(
    world: World, admin: Person, doom: Doom, place: Place
) -> None:
    binding = await admin.connects(ACME_TRADING)

    doom.at(place, "disconnect", binding=binding["id"])

    await settles(world)
    assert connected(world) == set()
    row = await world.grant(binding["grantId"])
    assert (row["status"], row["access_token_enc"], row["refresh_token_enc"]) == (
        "revoked",
        None,
        None,
    )
    landing = await admin.consents(ACME_TRADING)
    restored = await admin.selects(landing.grant_id, ACME_TRADING)
    assert restored["id"] == binding["id"]


async def dying_in_a_webhook(world: World, admin: Person, doom: Doom, place: Place) -> None:
    """R34: Xero has no answer and repeats, as it is and with what happened since."""
    await admin.connects(ACME_TRADING)
    one, two, three = (xero_event(ACME_TRADING) for _ in range(3))
    key = key_of(world.application.settings)
    assert (await send(admin.http, batch(1, one), key)).status_code == 200
    body = batch(2, two)

    doom.at(place, "webhook", body=body.decode(), signature=signature(body, key))

    for again in (body, batch(2, two, three), body):
        assert (await send(admin.http, again, key)).status_code == 200
    told = await resources(world.database)
    assert told == [event["resourceId"] for event in (one, two, three)]
    assert await gaps(world.database) == []


async def dying_in_a_delivery(world: World, admin: Person, doom: Doom, place: Place) -> None:
    """R28: each event exists once and is acknowledged at least once, in order, with one id."""
    async with receiving(world) as receiver:
        binding = await admin.connects(ACME_TRADING)
        await admin.disconnects(binding["id"])

        await asyncio.to_thread(doom.at, place, "deliver")

        await world.database.execute("UPDATE webhook_deliveries SET claimed_until = now()")
        await world.services.deliveries.deliver_due()
        stored = await world.database.fetch("SELECT id, kind FROM events ORDER BY position")
        assert [row["kind"] for row in stored] == ["binding.connected", "binding.disconnected"]
        heard = list(dict.fromkeys(each["id"] for each in receiver.events()))
        assert heard == [f"evt_{row['id'].hex}" for row in stored]
        assert len(receiver.events()) <= len(stored) + 1


async def dying_in_a_notice(world: World, admin: Person, doom: Doom, place: Place) -> None:
    """R41: mailed in the end; twice only where the server had accepted it, by the same id."""
    async with serving() as server:
        binding = await admin.connects(ACME_TRADING)
        await breaks(world, binding["id"])
        mail = {
            "SMTP_URL": f"smtp://127.0.0.1:{server.port}",
            "NOTICES_FROM": "notices@acme.example",
        }
        dying = replace(doom, environment=doom.environment | mail)

        await asyncio.to_thread(dying.at, place, "notify")

        settings = Settings(
            _env_file=None, smtp_url=mail["SMTP_URL"], notices_from=mail["NOTICES_FROM"]
        )
        async with Application.running(settings) as survivor:
            for _ in range(2):
                await survivor.services.upkeep._send_notices()
                await world.database.execute("UPDATE notices SET claimed_until = now()")
        ids = [each.message["Message-ID"] for each in server.mails]
        assert len(ids) == (2 if place is Place.NOTICE_ACCEPTED else 1)
        assert len(set(ids)) == 1


async def written(world: World, kind: str) -> int:
    """R28: how many events of a kind there are."""
    found: int = await world.database.fetchval("SELECT count(*) FROM events WHERE kind = $1", kind)
    return found


def connected(world: World) -> set[str]:
    """The tenants that Xero has connected to our app."""
    connections = world.sandbox.state()["connections"]
    return {each["tenantId"] for each in connections if not each["deleted"]}


async def settles(world: World) -> None:
    """Upkeep comes round until nothing is owed to Xero any more."""

    async def nothing_owed() -> bool:
        await world.hurries()
        await world.services.upkeep.round()
        return await world.settled()

    await until(nothing_owed, within=60)


SCENES: dict[Place, Scene] = {
    Place.REFRESH_CLAIMED: dying_in_a_refresh,
    Place.REFRESH_ANSWERED: dying_in_a_refresh,
    Place.REFRESH_SAVED: dying_in_a_refresh,
    Place.REFRESH_REFUSED: dying_before_a_refusal_is_marked,
    Place.ATTEMPT_CONSUMED: dying_in_a_callback,
    Place.EXCHANGE_LEASE_CLAIMED: dying_in_a_callback,
    Place.EXCHANGE_ANSWERED: dying_in_a_callback,
    Place.EXCHANGE_SAVED: dying_in_a_callback,
    Place.REACH_RECORDED: dying_in_a_callback,
    Place.BINDING_COMMITTED: dying_after_a_selection,
    Place.DISCONNECT_COMMITTED: dying_in_a_disconnect_of_one,
    Place.REVOCATION_ANSWERED: dying_in_a_disconnect_of_the_last,
    Place.DELETION_ANSWERED: dying_in_a_disconnect_of_one,
    Place.CLEANUP_COMMITTED: dying_in_a_disconnect_of_the_last,
    Place.EVENTS_ADDED: dying_in_a_webhook,
    Place.EVENTS_COMMITTED: dying_in_a_webhook,
    Place.DELIVERY_CLAIMED: dying_in_a_delivery,
    Place.DELIVERY_ANSWERED: dying_in_a_delivery,
    Place.DELIVERY_RECORDED: dying_in_a_delivery,
    Place.NOTICE_CLAIMED: dying_in_a_notice,
    Place.NOTICE_ACCEPTED: dying_in_a_notice,
}


@pytest.mark.parametrize("place", Place, ids=lambda place: place.name.lower())
async def test_nothing_is_lost_when_a_process_dies_there(
    world: World, doom: Doom, place: Place
) -> None:
    admin = await world.acme_admin()

    await SCENES[place](world, admin, doom, place)
