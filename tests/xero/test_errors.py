"""What each failure of Xero's means: only `invalid_grant` may ever end a grant."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from xero_service.errors import (
    ExternalAPIError,
    InvalidGrant,
    PermissionRefused,
    RateLimitError,
    TokenDoubted,
    TokenExpired,
    XeroAccessRefused,
    XeroInvalidResponse,
    XeroMisconfigured,
)
from xero_service.xero.http import HttpResponse
from xero_service.xero.responses import api_error, error_field, retry_after, token_error

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def answer(
    status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    return HttpResponse(status, headers or {}, body)


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        (b'{"error":"invalid_grant"}', InvalidGrant),
        (b'{"error":"invalid_grant","error_description":"gone"}', InvalidGrant),
        (b'{"Error":"invalid_grant"}', InvalidGrant),
        (b'{"error":"invalid_client"}', XeroMisconfigured),
        (b'{"Error":"invalid_client"}', XeroMisconfigured),
        (b'{"error":"unauthorized_client"}', XeroMisconfigured),
        (b'{"error":"unsupported_grant_type"}', XeroMisconfigured),
        (b'{"error":"invalid_request"}', XeroInvalidResponse),
        (b'{"error":"invalid_scope"}', XeroInvalidResponse),
        (b'{"error":"Invalid_Grant"}', XeroInvalidResponse),
        (b'{"error":["invalid_grant"]}', XeroInvalidResponse),
        (b'{"error":{"invalid_grant":1}}', XeroInvalidResponse),
        (b'{"error_description":"invalid_grant"}', XeroInvalidResponse),
        (b'["invalid_grant"]', XeroInvalidResponse),
        (b"invalid_grant", XeroInvalidResponse),
        (b"<html>invalid_grant</html>", XeroInvalidResponse),
        (b"{}", XeroInvalidResponse),
        (b"", XeroInvalidResponse),
    ],
)
def test_a_refused_token_request_means_what_its_error_says(
    status: int, body: bytes, meaning: type[ExternalAPIError]
) -> None:
    assert type(token_error(answer(status, body))) is meaning


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (403, XeroInvalidResponse),
        (404, XeroInvalidResponse),
        (429, RateLimitError),
        (500, ExternalAPIError),
        (502, ExternalAPIError),
        (503, ExternalAPIError),
    ],
)
def test_invalid_grant_counts_only_with_the_status_it_comes_with(
    status: int, meaning: type[ExternalAPIError]
) -> None:
    """A proxy's error page must not end a grant, whatever it contains."""
    assert type(token_error(answer(status, b'{"error":"invalid_grant"}'))) is meaning


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, XeroInvalidResponse),
        (403, XeroAccessRefused),
        (404, XeroInvalidResponse),
        (429, RateLimitError),
        (500, ExternalAPIError),
        (503, ExternalAPIError),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b'{"Title":"Forbidden","Status":403,"Detail":"AuthenticationUnsuccessful"}',
        b'{"title":"Forbidden","status":403,"detail":"AuthenticationUnsuccessful"}',
        b"<HTML><TITLE>Access Denied</TITLE></HTML>",
        b"The Organisation is offline",
        b"",
    ],
    ids=["Pascal", "lower", "HTML", "text", "nothing"],
)
def test_a_refused_api_request_is_judged_by_its_status(
    status: int, meaning: type[ExternalAPIError], body: bytes
) -> None:
    assert type(api_error(answer(status, body))) is meaning


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        (b'{"Detail":"TokenExpired: token expired at 04/29/2020 09:22:02"}', TokenExpired),
        (b"<E><detail>TokenExpired</detail></E>", TokenExpired),
        (b'{"detail":"AuthenticationUnsuccessful"}', TokenDoubted),
        (b'{"Detail":"AuthorizationUnsuccessful"}', PermissionRefused),
        (b"<HTML><TITLE>Access Denied</TITLE></HTML>", XeroAccessRefused),
        (b"", XeroAccessRefused),
    ],
)
def test_a_401_is_judged_by_its_words(body: bytes, meaning: type[ExternalAPIError]) -> None:
    """C7, C8."""
    assert type(api_error(answer(401, body))) is meaning


@pytest.mark.parametrize("read", [token_error, api_error])
@pytest.mark.parametrize(("status", "unsaid"), [(429, 30), (500, 5), (503, 5)])
@pytest.mark.parametrize("header", ["22", "in a while", None])
def test_xeros_wish_to_wait_is_passed_on(
    read: Callable[[HttpResponse], ExternalAPIError], status: int, unsaid: int, header: str | None
) -> None:
    headers = {} if header is None else {"retry-after": header}

    error = read(answer(status, b"", headers))

    assert error.retry_after == (22 if header == "22" else unsaid)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 7 ", 7),
        ("66975", 66975),
        ("Sat, 21 Nov 2026 12:01:30 GMT", 90),
        ("Sat, 21 Nov 2026 12:01:30", 90),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 01:01:30 +1300", 90),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("9999999999", None),
        ("tomorrow", None),
        ("Sat, 21 Nov 2026 12:00:00 +99999999999999999999", None),
        ("Sat, 31 Feb 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_comes_in_seconds_or_as_a_date(value: str, seconds: int | None) -> None:
    with time_machine.travel(NOW, tick=False):
        assert retry_after({"retry-after": value}) == seconds


@given(st.text() | st.datetimes().map(format_datetime) | st.from_regex(r"[\w:, +-]{0,40}"))
def test_no_retry_after_whatever_breaks_the_reading(value: str) -> None:
    seconds = retry_after({"retry-after": value})

    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("name", ["detail", "Detail", "DETAIL"])
def test_a_field_is_found_in_any_case(name: str) -> None:
    assert error_field(f'{{"{name}": "TokenExpired"}}'.encode(), "detail") == "TokenExpired"


@given(st.binary())
def test_no_error_body_whatever_breaks_the_reading(body: bytes) -> None:
    assert isinstance(error_field(body, "error"), str | None)
