"""A token answer is believed when it is exactly as documented, and not otherwise (S32)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero_service.domain import TokenSet
from xero_service.errors import ExternalAPIError, XeroInvalidResponse
from xero_service.xero.http import HttpResponse
from xero_service.xero.responses import read_token_set

GOOD: dict[str, Any] = {
    "id_token": "id",
    "access_token": "access",
    "expires_in": 1800,
    "token_type": "Bearer",
    "refresh_token": "refresh",
    "scope": "email openid offline_access",
}
ABSENT = "(absent)"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def answer(body: Any, status: int = 200) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {"content-type": "application/json; charset=UTF-8"}, raw)


def test_a_documented_answer_is_read() -> None:
    tokens = read_token_set(answer(GOOD))

    assert tokens == TokenSet(
        access_token="access",
        refresh_token="refresh",
        expires_in=timedelta(minutes=30),
        scopes=("email", "openid", "offline_access"),
        id_token="id",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"token_type": "bearer"},
        {"token_type": "BEARER"},
        {"expires_in": 1},
        {"expires_in": 86400},
        {"expires_in": ABSENT},
        {"extra": {"nested": [1]}},
        {"id_token": None},
        {"scope": None},
        {"scope": ["openid", "offline_access"]},
        {"refresh_token": "ü" * 5000},
    ],
)
def test_what_is_not_promised_may_differ(change: dict[str, Any]) -> None:
    body = {name: value for name, value in {**GOOD, **change}.items() if value != ABSENT}

    assert read_token_set(answer(body)).access_token == "access"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1800, 1800),
        (1800.0, 1800),
        (1799.5, 1799.5),
        ("1800", 1800),
        ("1800.0", 1800),
        ("+1800", 1800),
        ("1.8e3", 1800),
        (" 1800 ", 1800),
        ("\t1800\n", 1800),
        (86400.0, 86400),
        (None, 1800),
        (ABSENT, 1800),
    ],
    ids=ascii,
)
def test_a_lifetime_is_a_positive_number_in_any_form_c12(value: Any, seconds: float) -> None:
    """C12: a rotated set is not thrown away for the form of one number."""
    body = {**GOOD, "expires_in": value}
    if value == ABSENT:
        del body["expires_in"]

    assert read_token_set(answer(body)).expires_in == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("scope", "read"),
    [("a  b", ("a", "b")), (["a", "b"], ("a", "b")), (None, ()), (7, ()), ("", ())],
)
def test_scopes_come_as_a_text_or_as_a_list(scope: Any, read: tuple[str, ...]) -> None:
    """S33."""
    assert read_token_set(answer({**GOOD, "scope": scope})).scopes == read


@pytest.mark.parametrize("field", ["access_token", "refresh_token", "token_type"])
def test_an_answer_without_a_promised_field_is_not_believed(field: str) -> None:
    """S32."""
    with pytest.raises(XeroInvalidResponse):
        read_token_set(answer({name: value for name, value in GOOD.items() if name != field}))


@pytest.mark.parametrize(
    "change",
    [
        {"access_token": ""},
        {"access_token": None},
        {"access_token": 7},
        {"access_token": ["access"]},
        {"refresh_token": ""},
        {"refresh_token": None},
        {"refresh_token": {"a": 1}},
        {"token_type": "mac"},
        {"token_type": "DPoP"},
        {"token_type": ""},
        {"token_type": None},
        {"expires_in": 0},
        {"expires_in": -1},
        {"expires_in": 86401},
        {"expires_in": 10**400},
        {"expires_in": True},
        {"expires_in": False},
        {"expires_in": "soon"},
        {"expires_in": ""},
        {"expires_in": " "},
        {"expires_in": "0"},
        {"expires_in": "-1800"},
        {"expires_in": -0.0},
        {"expires_in": "86401"},
        {"expires_in": "9" * 400},
        {"expires_in": "1e400"},
        {"expires_in": "1_800"},
        {"expires_in": "1800s"},
        {"expires_in": "0x708"},
        {"expires_in": "18 00"},
        {"expires_in": "\u0661\u0668\u0660\u0660"},
        {"expires_in": "true"},
        {"expires_in": "nan"},
        {"expires_in": "inf"},
        {"expires_in": [1800]},
        {"expires_in": {"seconds": 1800}},
        {"expires_in": float("nan")},
        {"expires_in": float("inf")},
    ],
    ids=str,
)
def test_a_wrong_field_is_not_believed(change: dict[str, Any]) -> None:
    """S32."""
    with pytest.raises(XeroInvalidResponse):
        read_token_set(answer({**GOOD, **change}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"<html><body>Access Denied</body></html>",
        b'{"access_token":',
        b"\xff\xfe\x00",
        b"[" * 60_000,
    ],
    ids=["nothing", "null", "array", "text", "HTML", "cut off", "no UTF-8", "deeply nested"],
)
def test_what_is_no_json_object_is_not_believed(body: bytes) -> None:
    """S32."""
    with pytest.raises(XeroInvalidResponse):
        read_token_set(answer(body))


@pytest.mark.parametrize("status", [201, 202, 204, 302, 400, 401, 403, 404, 418])
def test_tokens_count_only_in_a_200(status: int) -> None:
    """S32: Authlib would take a 4xx without `error` for a token."""
    with pytest.raises(XeroInvalidResponse):
        read_token_set(answer(GOOD, status))


@given(JSON)
def test_no_json_whatever_breaks_the_reading(body: Any) -> None:
    with pytest.raises(XeroInvalidResponse):
        read_token_set(answer(body))


@given(st.binary(), st.integers(100, 599))
def test_no_bytes_whatever_break_the_reading(body: bytes, status: int) -> None:
    with pytest.raises(ExternalAPIError):
        read_token_set(answer(body, status))


def test_a_token_set_shows_no_token() -> None:
    """S42."""
    shown = repr(read_token_set(answer({**GOOD, "access_token": "canary"})))

    assert "canary" not in shown
    assert "refresh'" not in shown
