"""S59: only what Xero signed is read; 200 and 401 look as Xero demands."""

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from tests.service_api.callers import problem
from tests.world import Application, World
from tests.xero_webhooks.conftest import Bound, FromXero
from tests.xero_webhooks.signed import (
    JSON,
    PATH,
    batch,
    headers_of,
    send,
    signature,
    stored,
    xero_event,
)
from xero_sandbox.samples import ACME_TRADING
from xero_service.settings import Settings

EVENT = batch(1, xero_event(ACME_TRADING))
OTHER = "another key"


def is_bare(response: httpx.Response, status: int) -> bool:
    """Whether an answer is as Xero demands: the status, no body, no cookie, no challenge."""
    unwanted = {"set-cookie", "www-authenticate"} & set(response.headers)
    return response.status_code == status and response.content == b"" and not unwanted


async def test_a_signed_webhook_is_200_without_a_body_or_a_cookie(
    xero: FromXero, bound: Bound
) -> None:
    assert is_bare(await xero.sends_body(EVENT), 200)


@pytest.mark.parametrize("first", [0, 1])
async def test_an_intent_to_receive_is_answered_by_its_signature_alone(
    world: World, xero: FromXero, first: int
) -> None:
    """S59: an empty list of events, correctly and wrongly signed."""
    empty = batch(first)

    assert is_bare(await xero.sends_body(empty), 200)
    assert is_bare(await send(xero.http, empty, OTHER), 401)
    assert await stored(world.database) == []


def digest(key: str, body: bytes, name: str = "sha256") -> bytes:
    return hmac.digest(key.encode(), body, name)


SIGNATURES: dict[str, Callable[[str], str | None]] = {
    "none": lambda _key: None,
    "empty": lambda _key: "",
    "of another key": lambda _key: signature(EVENT, OTHER),
    "of another body": lambda key: signature(EVENT + b" ", key),
    "in hexadecimal": lambda key: digest(key, EVENT).hex(),
    "in another alphabet": lambda key: base64.urlsafe_b64encode(
        digest(key, EVENT.replace(b"S0m3", b"-_-_"))
    ).decode(),
    "without its padding": lambda key: signature(EVENT, key).rstrip("="),
    "with more after it": lambda key: signature(EVENT, key) + "AAAA",
    "in lower case": lambda key: signature(EVENT, key).lower(),
    "with a name before it": lambda key: f"sha256={signature(EVENT, key)}",
    "of SHA-1": lambda key: base64.b64encode(digest(key, EVENT, "sha1")).decode(),
    "of SHA-512": lambda key: base64.b64encode(digest(key, EVENT, "sha512")).decode(),
    "a hash without the key": lambda _key: base64.b64encode(
        hashlib.sha256(EVENT).digest()
    ).decode(),
    "the key itself": lambda key: key,
    "not ASCII": lambda _key: "é" * 44,
}


@pytest.mark.parametrize("kind", SIGNATURES)
async def test_any_other_signature_is_401_and_nothing_is_stored(
    world: World, xero: FromXero, bound: Bound, kind: str
) -> None:
    """S59."""
    value = SIGNATURES[kind](xero.key)
    headers = [(b"content-type", JSON.encode())]
    if value is not None:
        headers.append((b"x-xero-signature", value.encode("latin-1")))

    response = await xero.http.post(PATH, content=EVENT, headers=headers)

    assert is_bare(response, 401)
    assert await stored(world.database) == []


async def test_two_signatures_are_none(world: World, xero: FromXero, bound: Bound) -> None:
    right, wrong = signature(EVENT, xero.key), signature(EVENT, OTHER)

    response = await xero.http.post(
        PATH,
        content=EVENT,
        headers=[
            ("content-type", JSON),
            ("x-xero-signature", right),
            ("x-xero-signature", wrong),
        ],
    )

    assert is_bare(response, 401)


ENCODINGS = {
    "reformatted": json.dumps(json.loads(EVENT), indent=1).encode(),
    "UTF-16": EVENT.decode().encode("utf-16"),
    "compressed": gzip.compress(EVENT),
    "with a line break": EVENT + b"\n",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_the_signature_is_of_the_bytes_and_not_of_the_json(
    world: World, xero: FromXero, bound: Bound, encoding: str
) -> None:
    """S59: the same webhook in other bytes, under the signature of the original."""
    response = await xero.http.post(
        PATH, content=ENCODINGS[encoding], headers=headers_of(EVENT, xero.key)
    )

    assert is_bare(response, 401)
    assert await stored(world.database) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
async def test_nothing_of_an_unsigned_body_is_judged(
    xero: FromXero, body: bytes, content_type: str
) -> None:
    """S59: broken or of another type, it is 401 and no other 4xx."""
    headers = {"content-type": content_type, "x-xero-signature": signature(body, OTHER)}

    assert is_bare(await xero.http.post(PATH, content=body, headers=headers), 401)


async def test_a_replayed_webhook_is_200_and_has_no_effect(
    world: World, xero: FromXero, bound: Bound
) -> None:
    """S59."""
    await xero.sends_body(EVENT)

    assert is_bare(await xero.sends_body(EVENT), 200)
    assert len(await stored(world.database)) == 1


class TestReplacingTheKey:
    """Both keys count while one is being replaced; each is any text, byte for byte."""

    NEW, OLD = "new/key+with =odd, ünïcode 'characters'", "the old key"

    @pytest.fixture
    def settings(self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
        keys = {"XERO_WEBHOOK_KEY": f" {self.NEW}\n", "XERO_WEBHOOK_KEY_PREVIOUS": self.OLD}
        for name, value in (environment | keys).items():
            monkeypatch.setenv(name, value)
        return Settings(_env_file=None)

    async def test_both_are_accepted_and_no_third(self, xero: FromXero) -> None:
        answers = [
            await send(xero.http, EVENT, key) for key in (self.NEW, self.OLD, OTHER, self.NEW[:-1])
        ]

        assert [each.status_code for each in answers] == [200, 200, 401, 401]


class TestNotSetUp:
    """Without a key the address does not exist."""

    @pytest.fixture
    def settings(self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
        keys = {"XERO_WEBHOOK_KEY": "", "XERO_WEBHOOK_KEY_PREVIOUS": "an old key"}
        for name, value in (environment | keys).items():
            monkeypatch.setenv(name, value)
        return Settings(_env_file=None)

    @pytest.fixture
    async def http(self, application: Application) -> AsyncIterator[httpx.AsyncClient]:
        async with application.http() as client:
            yield client

    @pytest.mark.parametrize("key", ["", "an old key", "any"])
    async def test_it_is_404_whatever_the_signature(
        self, http: httpx.AsyncClient, key: str
    ) -> None:
        assert problem(await send(http, EVENT, key)) == (404, "not_found")
