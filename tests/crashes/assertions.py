"""What the crash tests look at afterwards: whether the grant lives on."""

from tests.world import Person, World, until
from xero_sandbox.fingerprints import fingerprint
from xero_sandbox.samples import ACME_TRADING


async def expired(world: World, admin: Person) -> str:
    """Connect, and let the access token expire; return the grant's id."""
    binding = await admin.connects(ACME_TRADING)
    await world.ages(binding["grantId"], expires_in="-1 minute")
    return str(binding["grantId"])


async def stored_fingerprint(world: World, grant_id: str) -> str:
    """The refresh token that is stored, by the fingerprint that Xero's history knows it by."""
    row = await world.grant(grant_id)
    return fingerprint(
        world.services.tokens.keys.decrypt_token(
            row["refresh_token_enc"], f"{row['id']}:refresh_token_enc"
        )
    )


async def has_the_live_set(world: World, grant_id: str) -> bool:
    """Whether the refresh token that is stored is one that Xero would take, used by nobody."""
    if (await world.grant(grant_id))["status"] != "active":
        return False
    uses = {each["fingerprint"]: each for each in world.sandbox.token_uses()}
    newest = uses[await stored_fingerprint(world, grant_id)]
    return bool(newest["live"]) and newest["presented"] == 0


async def really_refreshes(world: World, admin: Person, grant_id: str) -> None:
    """The proof that the stored set is good: Xero takes it, once every grace is long over."""
    world.sandbox.advance(31 * 60)
    await world.database.execute("UPDATE integration_grants SET next_refresh_at = NULL")
    await world.ages(grant_id, expires_in="-1 minute")
    assert (await admin.refreshes())["refreshedCount"] == 1
    assert await has_the_live_set(world, grant_id)


async def is_renewed(world: World, grant_id: str, *, generation: int, within: float = 40) -> None:
    """Wait until somebody has renewed the grant, and settled what was open."""

    async def renewed() -> bool:
        row = await world.grant(grant_id)
        return row["generation"] >= generation and row["refresh_sent_at"] is None

    await until(renewed, within=within)
