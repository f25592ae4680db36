"""One key writes, older ones still read: a key can be replaced with no downtime."""

from itertools import pairwise

import pytest

from xero_service.crypto import KeyRing, fingerprint
from xero_service.errors import CiphertextUnreadable

OLD, OLDER, NEW = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
CONTEXT = "row:column"


@pytest.mark.parametrize("writer", [OLD, OLDER, NEW], ids=["old", "older", "new"])
def test_every_key_of_the_ring_opens_what_it_sealed(writer: bytes) -> None:
    """S40."""
    sealed = KeyRing(writer).encrypt_token("text", CONTEXT)

    assert KeyRing(NEW, (OLD, OLDER)).decrypt_token(sealed, CONTEXT) == "text"


def test_the_newest_key_writes() -> None:
    """S40."""
    sealed = KeyRing(NEW, (OLD,)).encrypt_token("text", CONTEXT)

    assert KeyRing(NEW).decrypt_token(sealed, CONTEXT) == "text"


def test_a_key_taken_off_the_ring_no_longer_opens() -> None:
    sealed = KeyRing(OLD).encrypt_token("text", CONTEXT)

    with pytest.raises(CiphertextUnreadable):
        KeyRing(NEW).decrypt_token(sealed, CONTEXT)


def test_an_older_key_does_not_open_another_place() -> None:
    """S39."""
    sealed = KeyRing(OLD).encrypt_token("text", CONTEXT)

    with pytest.raises(CiphertextUnreadable):
        KeyRing(NEW, (OLD,)).decrypt_token(sealed, "row:other")


@pytest.mark.parametrize(
    ("writer", "context", "current"),
    [(NEW, CONTEXT, True), (OLD, CONTEXT, False), (NEW, "row:other", False)],
    ids=["with the newest", "with an older", "for another place"],
)
def test_a_text_is_current_when_the_newest_key_sealed_it(
    writer: bytes, context: str, current: bool
) -> None:
    """S40: what is not current is what a rewrap still has to do."""
    sealed = KeyRing(writer).encrypt_token("text", context)

    assert KeyRing(NEW, (OLD,)).is_current(sealed, CONTEXT) is current


def test_a_malformed_text_is_not_current() -> None:
    assert not KeyRing(NEW).is_current("malformed", CONTEXT)


def test_a_ring_shows_no_key() -> None:
    """S42."""
    shown = repr(KeyRing(NEW, (OLD,)))

    assert shown == "KeyRing(2 keys)"


@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_a_key_of_another_size_is_refused_at_once(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing(NEW, (bytes(size),))


def test_a_fingerprint_recognises_a_secret_without_containing_it() -> None:
    """S14, S21: the published SHA-256 of the text `abc`."""
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert fingerprint("abc") == expected


def test_replicas_on_either_side_of_each_step_of_a_rotation_read_each_other() -> None:
    """S40: as SECURITY.md has it: first all can read the new key, then it writes."""
    steps = [KeyRing(OLD), KeyRing(OLD, (NEW,)), KeyRing(NEW, (OLD,))]

    for before, after in pairwise(steps):
        assert after.decrypt_token(before.encrypt_token("text", CONTEXT), CONTEXT) == "text"
        assert before.decrypt_token(after.encrypt_token("text", CONTEXT), CONTEXT) == "text"
