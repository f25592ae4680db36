"""Only the configured issuer's key, used as agreed, makes a token genuine (RFC 8725)."""

import base64
import hmac
import json
import socket
from typing import Any
from unittest.mock import Mock

import jwt
import pytest

from tests.principals.conftest import Refuses
from tests.principals.issuer import KID, SESSION, HandmadeIssuer, new_key
from xero_service.api.session_tokens import LONGEST_TOKEN, SessionVerifier


def encoded(part: Any) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unsigned(**header: Any) -> str:
    return f"{encoded({'typ': 'JWT', 'kid': KID, **header})}.{encoded(dict(SESSION))}"


async def test_a_genuine_token_is_believed(
    verifier: SessionVerifier, issuer: HandmadeIssuer
) -> None:
    user = await verifier.verify(issuer.token())

    assert user.user_id == "user_one"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
@pytest.mark.parametrize("signature", ["", "c2lnbmF0dXJl"])
async def test_a_token_without_a_signature_is_refused(
    refuses: Refuses, alg: str, signature: str
) -> None:
    """S2."""
    await refuses(f"{unsigned(alg=alg)}.{signature}")


async def test_the_public_key_is_no_shared_secret(refuses: Refuses, issuer: HandmadeIssuer) -> None:
    """S2: HS256 with the public key as its secret."""
    signed = unsigned(alg="HS256")
    signature = hmac.digest(issuer.public_pem, signed.encode(), "sha256")

    await refuses(f"{signed}.{encoded(signature)}")


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256"])
async def test_an_algorithm_that_was_not_agreed_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, alg: str
) -> None:
    """S2: the key is right, the algorithm is not."""
    await refuses(jwt.encode(dict(SESSION), issuer.private, algorithm=alg, headers={"kid": KID}))


async def test_the_signature_of_another_key_is_refused(refuses: Refuses) -> None:
    """S6."""
    await refuses(HandmadeIssuer(new_key()).token())


async def test_a_changed_claim_breaks_the_signature(
    refuses: Refuses, issuer: HandmadeIssuer
) -> None:
    header, _, signature = issuer.token().split(".")

    await refuses(f"{header}.{encoded({**SESSION, 'sub': 'user_two'})}.{signature}")


@pytest.mark.parametrize("place", ["jku", "x5u", "jwk", "x5c"])
async def test_a_key_that_the_token_brings_along_is_not_used(
    refuses: Refuses, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """S3: no outbound request; its host's address would have to be looked up first."""
    looked_up = Mock(side_effect=OSError)
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    attacker = HandmadeIssuer(new_key())
    brought: Any = {"jwk": attacker.jwk(), "x5c": ["MIIB"]}.get(place, "https://evil.test/keys")

    await refuses(attacker.token({place: brought}))

    assert not looked_up.called


async def test_parameters_that_the_issuer_adds_are_ignored(
    verifier: SessionVerifier, issuer: HandmadeIssuer
) -> None:
    token = issuer.token({"oiat": 1, "cat": "cl_B7d4PD111AAA", "jku": "https://evil.test/keys"})

    assert (await verifier.verify(token)).user_id == "user_one"


@pytest.mark.parametrize(
    "header", [{"kid": None}, {"kid": "ins_two"}, {"kid": 7}, {"kid": ["ins_one"]}]
)
async def test_a_token_of_an_unknown_key_is_refused(
    refuses: Refuses, issuer: HandmadeIssuer, header: dict[str, Any]
) -> None:
    signed = f"{encoded({'alg': 'RS256', 'typ': 'JWT', **header})}.{encoded(dict(SESSION))}"
    signature = issuer.token().rpartition(".")[2]

    await refuses(f"{signed}.{signature}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "one.two",
        "one.two.three",
        "one.two.three.four.five",
        f"{encoded(b'not json')}.{encoded({})}.c2ln",
        f"{encoded([1])}.{encoded({})}.c2ln",
        f"{encoded(b'[' * 5000)}.{encoded({})}.c2ln",
        "é.é.é",
    ],
    ids=repr,
)
async def test_what_is_no_token_is_refused(refuses: Refuses, text: str) -> None:
    await refuses(text)


async def test_a_token_of_four_parts_is_refused(refuses: Refuses, issuer: HandmadeIssuer) -> None:
    await refuses(issuer.token() + ".")


async def test_claims_that_are_no_object_are_refused(
    refuses: Refuses, issuer: HandmadeIssuer
) -> None:
    signed = jwt.PyJWS().encode(b"[1]", issuer.private, algorithm="RS256", headers={"kid": KID})

    await refuses(signed)


async def test_an_overlong_token_is_refused_before_anything_is_read(
    refuses: Refuses, issuer: HandmadeIssuer
) -> None:
    token = issuer.token(padding="x" * LONGEST_TOKEN)

    await refuses(token)

    assert issuer.fetches == 0
