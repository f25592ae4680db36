"""The issuer's keys: few fetches, cached during an outage, separate for each issuer."""

import asyncio
import json
from base64 import urlsafe_b64encode
from typing import Any
from uuid import uuid4

import pytest

from tests.principals.issuer import ISSUER, KID, ORIGIN, HandmadeIssuer, new_key
from xero_service.api.session_tokens import SessionVerifier
from xero_service.errors import AuthError, SignInUnavailable
from xero_service.jwks import KeySet
from xero_service.timeouts import KEYS_COOLDOWN_SECONDS, KEYS_MAX_AGE_SECONDS


class Clock:
    """Monotonic seconds that pass only when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer: HandmadeIssuer, clock: Clock) -> KeySet:
    return KeySet(issuer.jwks, now=clock)


@pytest.fixture
def verifier(keys: KeySet) -> SessionVerifier:
    return SessionVerifier(ISSUER, keys, frozenset({ORIGIN}))


def of_random_keys(issuer: HandmadeIssuer, count: int) -> list[str]:
    """Make tokens that each name another key; signing them all would only cost time."""
    signed = issuer.token().partition(".")[2]
    headers = ({"alg": "RS256", "kid": f"ins_{uuid4()}"} for _ in range(count))
    return [
        f"{urlsafe_b64encode(json.dumps(header).encode()).rstrip(b'=').decode()}.{signed}"
        for header in headers
    ]


async def refused(verifier: SessionVerifier, tokens: list[str]) -> int:
    """Count the tokens that are refused."""
    answers = await asyncio.gather(
        *(verifier.verify(token) for token in tokens), return_exceptions=True
    )
    return sum(type(answer) is AuthError for answer in answers)


async def test_a_thousand_random_key_ids_cause_one_fetch(
    verifier: SessionVerifier, issuer: HandmadeIssuer
) -> None:
    """S4."""
    assert await refused(verifier, of_random_keys(issuer, 1000)) == 1000

    assert issuer.fetches == 1


async def test_an_unknown_key_id_causes_one_fetch_per_cooldown(
    verifier: SessionVerifier, issuer: HandmadeIssuer, clock: Clock
) -> None:
    """S4."""
    await verifier.verify(issuer.token())
    clock.seconds += KEYS_COOLDOWN_SECONDS

    await refused(verifier, of_random_keys(issuer, 100))
    clock.seconds += KEYS_COOLDOWN_SECONDS - 0.1
    await refused(verifier, of_random_keys(issuer, 100))

    assert issuer.fetches == 2


async def test_a_new_key_is_found_after_the_cooldown(
    keys: KeySet, issuer: HandmadeIssuer, clock: Clock
) -> None:
    await keys.load()
    issuer.private = new_key()
    issuer.kid = "ins_two"

    before = await keys.find("ins_two")
    clock.seconds += KEYS_COOLDOWN_SECONDS
    after = await keys.find("ins_two")

    assert (before is None, after is None) == (True, False)


async def test_a_key_that_is_no_longer_published_stops_working(
    keys: KeySet, issuer: HandmadeIssuer, clock: Clock
) -> None:
    await keys.load()
    issuer.kid = "ins_two"

    clock.seconds += KEYS_MAX_AGE_SECONDS

    assert await keys.find(KID) is None


async def test_keys_are_kept_while_the_issuer_is_away(
    verifier: SessionVerifier, issuer: HandmadeIssuer, clock: Clock
) -> None:
    """S4."""
    await verifier.verify(issuer.token())
    issuer.fails = True

    clock.seconds += 24 * 3600

    assert (await verifier.verify(issuer.token())).user_id == "user_one"


async def test_while_the_issuer_is_away_it_is_asked_once_per_cooldown(
    verifier: SessionVerifier, issuer: HandmadeIssuer, clock: Clock
) -> None:
    """S4."""
    await verifier.verify(issuer.token())
    issuer.fails = True
    clock.seconds += KEYS_MAX_AGE_SECONDS

    await asyncio.gather(*(verifier.verify(issuer.token()) for _ in range(20)))

    assert issuer.fetches == 2


async def test_without_any_key_nobody_is_refused_for_good(
    verifier: SessionVerifier, issuer: HandmadeIssuer
) -> None:
    issuer.fails = True

    with pytest.raises(SignInUnavailable) as refused:
        await verifier.verify(issuer.token())

    assert (refused.value.status, refused.value.retry_after) == (503, 30)


async def test_sign_in_works_again_once_the_issuer_is_back(
    verifier: SessionVerifier, issuer: HandmadeIssuer, clock: Clock
) -> None:
    issuer.fails = True
    with pytest.raises(SignInUnavailable):
        await verifier.verify(issuer.token())

    issuer.fails = False
    clock.seconds += KEYS_COOLDOWN_SECONDS

    assert (await verifier.verify(issuer.token())).user_id == "user_one"


async def test_an_issuers_key_vouches_for_that_issuer_alone(issuer: HandmadeIssuer) -> None:
    """S6: two issuers with the same key id, one process."""
    other = HandmadeIssuer(new_key())
    ours = SessionVerifier(ISSUER, KeySet(issuer.jwks), frozenset({ORIGIN}))
    theirs = SessionVerifier("https://other.test", KeySet(other.jwks), frozenset({ORIGIN}))
    await theirs.verify(other.token(iss="https://other.test"))

    assert await refused(ours, [other.token()]) == 1
    assert await refused(theirs, [issuer.token(iss="https://other.test")]) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC"},
        {"use": "enc"},
        {"kid": None},
        {"kid": 7},
        {"n": None},
    ],
)
async def test_what_is_no_rsa_signing_key_is_not_used(
    issuer: HandmadeIssuer, change: dict[str, Any]
) -> None:
    async def published() -> Any:
        return {"keys": [issuer.jwk(**change), issuer.jwk(kid="ins_good")]}

    keys = KeySet(published)

    assert await keys.find("ins_good") is not None
    assert await keys.find(KID) is None


@pytest.mark.parametrize(
    "document", [None, [], {}, {"keys": None}, {"keys": {}}, {"keys": []}, {"keys": [1, None]}, "x"]
)
async def test_a_document_without_keys_replaces_none(
    issuer: HandmadeIssuer, clock: Clock, document: Any
) -> None:
    published: list[Any] = [await issuer.jwks(), document]

    async def fetch() -> Any:
        return published.pop(0)

    keys = KeySet(fetch, now=clock)
    await keys.load()

    clock.seconds += KEYS_MAX_AGE_SECONDS

    assert await keys.find(KID) is not None


async def test_an_issuer_that_hangs_holds_up_no_session_whose_key_is_known(
    issuer: HandmadeIssuer, clock: Clock
) -> None:
    answers, hang = [await issuer.jwks()], asyncio.Event()

    async def fetch() -> Any:
        if not answers:
            await hang.wait()
        return answers.pop() if answers else await issuer.jwks()

    keys = KeySet(fetch, now=clock)
    await keys.load()
    clock.seconds += KEYS_MAX_AGE_SECONDS

    async with asyncio.timeout(8):  # the first caller looks for a second, nobody for ten
        first = await keys.find(KID)
        others = await asyncio.gather(*(keys.find(KID) for _ in range(50)))

    assert [first, *others] == [first] * 51
    assert first is not None
    hang.set()
