"""Each log record is one line without a secret, in both formats (S42, S48)."""

import json
import logging
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http.conftest import Raising
from tests.xero.raw_http import listening, with_body
from xero_service.errors import XeroMisconfigured
from xero_service.telemetry import REDACTED, configure_logging, logger, redact, scrub
from xero_service.xero.http import HttpClient

Written = Callable[[], list[str]]
CANARY = "canary7Qz"
JWT = f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ{CANARY}In0.c2lnbmF0dXJl"
both = pytest.mark.parametrize("form", ["json", "text"])
SECRETS = [
    JWT,
    f"Bearer {CANARY}.0",
    f"authorization: bearer {CANARY}",
    f"Basic {CANARY}==",
    f"xsk_{CANARY}",
    f"https://host/callback?code={CANARY}&scope=openid",
    f"https://host/callback?scope=openid&state={CANARY}",
    f"grant_type=refresh_token&refresh_token={CANARY}",
    f"client_id=x&client_secret={CANARY}",
    f"code_verifier={CANARY}",
    f"nonce={CANARY}",
    f"postgresql://user:{CANARY}@host/name",
    f"postgresql+asyncpg://user:{CANARY}@host/name",
    f"postgres://user:{CANARY}@host/name",
    f'{{"refresh_token": "{CANARY}", "expires_in": 1800}}',
    f"{{'access_token': '{CANARY}'}}",
    f'{{"accessToken":"{CANARY}"}}',
    f"an unknown refresh token: {CANARY}{'0aB-_' * 7}",
]
ORDINARY = [
    "Basic authentication failed.",
    "The bearer of this message is ready.",
    "Xero's token answer is of another type than Bearer.",
    "The state of the code is fine: status=200 grant_id=7",
    "a refresh failed unexpectedly",
    "invalid_client",
    "7f0e2f4e-1f0b-4a55-9a2e-0c3d5b8e9a10",
    "7f0e2f4e1f0b4a559a2e0c3d5b8e9a10",
    "a_name_of_a_function_that_is_longer_than_anybody_would_like",
    "/api/integrations/xero/tenants/list",
    "2026-11-21T21:34:10Z",
]


@pytest.fixture(autouse=True)
def talkative_httpx() -> None:
    """As it is before the service configures logging, which other tests have done."""
    logging.getLogger("httpx").setLevel(logging.NOTSET)


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Written:
    """Return the lines that were logged since the last look."""

    def lines() -> list[str]:
        return capsys.readouterr().err.splitlines()

    return lines


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_taken_out_of_any_text(text: str) -> None:
    """S42."""
    cleaned = scrub(f"before {text} after")

    assert CANARY not in cleaned
    assert REDACTED in cleaned
    assert cleaned.startswith("before ")


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_stay(text: str) -> None:
    assert scrub(text) == text


@given(st.text())
def test_no_text_whatever_breaks_the_cleaning(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    "name",
    [
        "access_token",
        "refreshToken",
        "token",
        "client_secret",
        "password",
        "Authorization",
        "cookie",
        "set-cookie",
        "code_verifier",
        "nonce",
        "code",
        "state",
        "access_token_enc",
    ],
)
@pytest.mark.parametrize("value", [CANARY, [CANARY], {"x": CANARY}, CANARY.encode()], ids=repr)
def test_a_field_with_a_secret_name_is_not_shown(name: str, value: object) -> None:
    """S42."""
    assert redact(None, "", {name: value, "nested": {name: value}}) == {
        name: REDACTED,
        "nested": {name: REDACTED},
    }


def test_other_fields_are_shown_as_they_are() -> None:
    event = {"status": 200, "token_type": "Bearer", "problem": "not_found", "ok": True, "x": None}

    assert redact(None, "", dict(event)) == event


@both
@pytest.mark.parametrize("text", SECRETS)
def test_no_record_shows_a_secret_wherever_it_stands(
    written: Written, form: str, text: str
) -> None:
    """S42: as an event, a field, a nested field, an exception, and in a library's record."""
    configure_logging(level="DEBUG", form=form)

    try:
        raise RuntimeError(text)
    except RuntimeError:
        logger("here").exception(f"event {text}", field=text, nested={"deep": [text]})
    logging.getLogger("library").warning("said %s", text)

    lines = written()
    assert len(lines) == 2
    assert CANARY not in "".join(lines)


@both
@pytest.mark.parametrize(
    "break_", ["\n", "\r\n", "\r", "\x85", "\u2028", "\x0b", "\x0c", "\x1b[2J"]
)
def test_a_value_cannot_forge_a_second_record(written: Written, form: str, break_: str) -> None:
    """S48."""
    configure_logging(level="INFO", form=form)
    forged = f"harmless{break_}2026-11-21 [info] forged"

    logger("here").info(forged, field=forged, nested={"deep": forged}, listed=[forged])

    (line,) = written()
    assert break_ not in line


@both
def test_an_exception_is_one_record(written: Written, form: str) -> None:
    """S48."""
    configure_logging(level="INFO", form=form)

    try:
        raise RuntimeError("first line\nsecond line")
    except RuntimeError:
        logger("here").exception("it failed")

    (line,) = written()
    assert "it failed" in line
    assert "second line" in line


@both
def test_a_librarys_exception_is_one_record(written: Written, form: str) -> None:
    """S48."""
    configure_logging(level="INFO", form=form)

    try:
        raise RuntimeError("first line\nsecond line")
    except RuntimeError:
        logging.getLogger("library").exception("it failed", stack_info=True)

    assert len(written()) == 1


def test_a_record_says_when_where_and_how_grave(written: Written) -> None:
    configure_logging(level="INFO", form="json")

    logger("here").warning("something", grant_id=7)

    record = json.loads(written()[0])
    assert record.pop("timestamp").endswith("Z")
    assert record == {"event": "something", "grant_id": 7, "level": "warning", "logger": "here"}


def test_what_is_below_the_level_is_not_written(written: Written) -> None:
    configure_logging(level="WARNING", form="json")

    logger("here").info("something")

    assert written() == []


async def test_a_request_is_one_record_without_its_query(
    http: httpx.AsyncClient, written: Written
) -> None:
    """S12."""
    configure_logging(level="DEBUG", form="json")

    response = await http.get(f"/healthz?token={CANARY}", headers={"X-Api-Key": CANARY})

    (record,) = (json.loads(line) for line in written())
    assert record["request_id"] == response.headers["x-request-id"]
    assert (record["method"], record["route"], record["status"]) == ("GET", "/healthz", 200)
    assert CANARY not in json.dumps(record)


async def test_a_call_to_xero_is_no_record_of_the_clients(written: Written) -> None:
    """S42: httpx would log the URL, query and all."""
    configure_logging(level="DEBUG", form="json")

    async with HttpClient(timeout=5) as client, listening(with_body(b"ok")) as xero:
        await client.send("GET", f"{xero.url}/?code={CANARY}")

    assert written() == []


async def test_an_unexpected_error_is_recorded_with_its_traceback_and_request(
    http: httpx.AsyncClient, raising: Raising, written: Written
) -> None:
    """S47: the log has the cause that the response leaves out."""
    configure_logging(level="INFO", form="json")

    response = await http.get(raising(RuntimeError(f"no luck with code={CANARY}")))

    error, request = (json.loads(line) for line in written())
    assert "RuntimeError: no luck with code=[redacted]" in error["exception"]
    assert error["request_id"] == request["request_id"] == response.json()["requestId"]


async def test_a_failure_is_recorded_by_its_code(
    http: httpx.AsyncClient, raising: Raising, written: Written
) -> None:
    configure_logging(level="INFO", form="json")
    await http.get(raising(XeroMisconfigured()))

    assert json.loads(written()[0])["problem"] == "xero_misconfigured"
