"""Fixtures: a verifier of the test issuer's tokens, with a frozen clock."""

from collections.abc import Awaitable, Callable, Iterator

import pytest
import time_machine

from tests.principals.issuer import ISSUER, NOW, ORIGIN, HandmadeIssuer
from xero_service.api.session_tokens import SessionVerifier
from xero_service.errors import AuthError
from xero_service.jwks import KeySet

Refuses = Callable[[str], Awaitable[None]]


@pytest.fixture(scope="session")
def one_key() -> HandmadeIssuer:
    return HandmadeIssuer()


@pytest.fixture
def issuer(one_key: HandmadeIssuer) -> HandmadeIssuer:
    """An issuer nobody has asked yet; its key is made once, for making one takes long."""
    return HandmadeIssuer(one_key.private)


@pytest.fixture
def verifier(issuer: HandmadeIssuer) -> SessionVerifier:
    return SessionVerifier(
        issuer=ISSUER,
        keys=KeySet(issuer.jwks),
        authorized_parties=frozenset({ORIGIN, "https://other.example.com"}),
    )


@pytest.fixture(autouse=True)
def at_rest() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def refuses(verifier: SessionVerifier) -> Refuses:
    """Expect an AuthError with the same message as every other."""

    async def expect(token: str) -> None:
        with pytest.raises(AuthError) as refused:
            await verifier.verify(token)
        assert type(refused.value) is AuthError
        assert refused.value.detail == "The session token is missing, expired or not valid."

    return expect
