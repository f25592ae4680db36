"""Sealed texts open for whoever has the key and the place, and for nobody else."""

import re
from os import urandom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero_service.crypto import KeyRing
from xero_service.errors import CiphertextUnreadable

CONTEXT = "7f0e2f4e-1f0b-4a55-9a2e-0c3d5b8e9a10:refresh_token_enc"
RING = KeyRing(bytes(range(32)))
SEALED = RING.encrypt_token("a refresh token", CONTEXT)
SEALED_BYTES = sum(len(part) // 2 for part in SEALED.split(":"))


def flipped(sealed: str, position: int) -> str:
    """Flip one bit of the byte at `position`, counted over iv, tag and data."""
    parts = [bytearray.fromhex(part) for part in sealed.split(":")]
    for part in parts:
        if position < len(part):
            part[position] ^= 1
            break
        position -= len(part)
    return ":".join(part.hex() for part in parts)


def test_a_sealed_text_is_iv_tag_and_data_in_hex() -> None:
    sealed = RING.encrypt_token("twelve bytes", CONTEXT)

    assert re.fullmatch(r"[0-9a-f]{24}:[0-9a-f]{32}:[0-9a-f]{24}", sealed)


@given(text=st.text(st.characters(exclude_categories=["Cs"])), context=st.text("abc:-0123456789"))
def test_a_text_opens_as_it_was_sealed(text: str, context: str) -> None:
    assert RING.decrypt_token(RING.encrypt_token(text, context), context) == text


def test_upper_case_hex_opens() -> None:
    assert RING.decrypt_token(SEALED.upper(), CONTEXT) == "a refresh token"


@pytest.mark.parametrize("position", range(SEALED_BYTES))
def test_a_text_with_any_byte_changed_does_not_open(position: int) -> None:
    """S39."""
    with pytest.raises(CiphertextUnreadable):
        RING.decrypt_token(flipped(SEALED, position), CONTEXT)


@pytest.mark.parametrize(
    "elsewhere",
    [
        CONTEXT.replace("refresh", "access"),
        CONTEXT.replace("7f0e", "7f0f"),
        CONTEXT + " ",
        "",
    ],
    ids=["another column", "another row", "almost", "nowhere"],
)
def test_a_text_moved_to_another_place_does_not_open(elsewhere: str) -> None:
    """S39."""
    with pytest.raises(CiphertextUnreadable):
        RING.decrypt_token(SEALED, elsewhere)


def test_a_text_sealed_for_no_place_does_not_open_in_one() -> None:
    """S39."""
    placeless = RING.encrypt_token("a refresh token")

    with pytest.raises(CiphertextUnreadable):
        RING.decrypt_token(placeless, CONTEXT)


def test_a_text_does_not_open_with_another_key() -> None:
    with pytest.raises(CiphertextUnreadable):
        KeyRing(urandom(32)).decrypt_token(SEALED, CONTEXT)


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param("", id="nothing"),
        pytest.param(":", id="a colon"),
        pytest.param("::", id="colons"),
        pytest.param("plain text", id="plain text"),
        pytest.param(SEALED + ":", id="a colon more"),
        pytest.param(SEALED + "0", id="half a byte more"),
        pytest.param(SEALED + "\n", id="a line break"),
        pytest.param(" " + SEALED, id="a leading blank"),
        pytest.param(SEALED.replace(":", "", 1), id="a colon less"),
        pytest.param(SEALED[2:], id="a short nonce"),
        pytest.param(SEALED.rpartition(":")[0], id="no data"),
        pytest.param("g" + SEALED[1:], id="no hex"),
        pytest.param("eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl", id="a JWT"),
    ],
)
def test_a_malformed_text_does_not_open(malformed: str) -> None:
    with pytest.raises(CiphertextUnreadable):
        RING.decrypt_token(malformed, CONTEXT)


@given(st.one_of(st.text(), st.from_regex(r"[0-9a-f]*:[0-9a-f]*:[0-9a-f]*", fullmatch=True)))
def test_whatever_was_not_sealed_here_does_not_open(text: str) -> None:
    with pytest.raises(CiphertextUnreadable):
        RING.decrypt_token(text, CONTEXT)


def unreadable(sealed: str, context: str, ring: KeyRing = RING) -> str:
    with pytest.raises(CiphertextUnreadable) as refused:
        ring.decrypt_token(sealed, context)
    assert refused.value.__cause__ is None
    return f"{refused.value!r} {refused.value.detail}"


def test_the_refusal_does_not_say_what_was_wrong() -> None:
    """S39: an attacker learns nothing from the kind of failure."""
    said = {
        unreadable("malformed", CONTEXT),
        unreadable(SEALED, "elsewhere"),
        unreadable(flipped(SEALED, SEALED_BYTES - 1), CONTEXT),
        unreadable(SEALED, CONTEXT, KeyRing(urandom(32))),
    }

    assert len(said) == 1


def test_no_nonce_repeats_in_a_hundred_thousand_encryptions() -> None:
    """S38: 96 random bits each."""
    nonces = {RING.encrypt_token("the same text", CONTEXT)[:24] for _ in range(100_000)}

    assert len(nonces) == 100_000
