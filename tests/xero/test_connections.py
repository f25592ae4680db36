"""Xero's list of connections is read as it comes in the wild, and never guessed at."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xero.test_token_answers import JSON
from xero_service.domain import Connection
from xero_service.errors import AccessRefused, XeroAnswerUnusable
from xero_service.xero.answers import read_connections, read_date
from xero_service.xero.transport import Answer

DOCUMENTED: dict[str, Any] = {
    "id": "7cb59f93-2964-421d-bb5e-a0f7a4572a44",
    "authEventId": "d0ddcf81-f942-4f4d-b3c7-f98045204db4",
    "tenantId": "fe79f7dd-b6d4-4a92-ba7b-538af6289c58",
    "tenantType": "ORGANISATION",
    "tenantName": "Demo Company (NZ)",
    "createdDateUtc": "2019-12-07T18:46:19.5165400",
    "updatedDateUtc": "2019-12-07T18:46:19.5187840",
}


def read(body: Any) -> tuple[Connection, ...]:
    return read_connections(Answer(200, {}, json.dumps(body).encode()))


def test_a_documented_connection_is_read() -> None:
    assert read([DOCUMENTED]) == (
        Connection(
            connection_id="7cb59f93-2964-421d-bb5e-a0f7a4572a44",
            tenant_id="fe79f7dd-b6d4-4a92-ba7b-538af6289c58",
            tenant_type="ORGANISATION",
            tenant_name="Demo Company (NZ)",
            auth_event_id="d0ddcf81-f942-4f4d-b3c7-f98045204db4",
            created_at=datetime(2019, 12, 7, 18, 46, 19, 516540, tzinfo=UTC),
            updated_at=datetime(2019, 12, 7, 18, 46, 19, 518784, tzinfo=UTC),
        ),
    )


def test_a_user_without_connections_has_an_empty_list() -> None:
    assert read([]) == ()


@pytest.mark.parametrize(
    ("field", "value", "name", "expected"),
    [
        ("tenantName", None, "tenant_name", "Unnamed organisation"),
        ("tenantName", "", "tenant_name", "Unnamed organisation"),
        ("tenantName", 7, "tenant_name", "Unnamed organisation"),
        ("tenantName", "Acme\x00 \ud800Ltd", "tenant_name", "Acme Ltd"),
        ("authEventId", None, "auth_event_id", None),
        ("authEventId", 7, "auth_event_id", None),
        ("tenantType", None, "tenant_type", ""),
        ("tenantType", "PRACTICEMANAGER", "tenant_type", "PRACTICEMANAGER"),
        ("createdDateUtc", None, "created_at", None),
        ("updatedDateUtc", "yesterday", "updated_at", None),
        ("unknownField", {"a": 1}, "tenant_id", DOCUMENTED["tenantId"]),
    ],
)
def test_what_may_be_missing_may_be_missing(
    field: str, value: Any, name: str, expected: str | None
) -> None:
    (connection,) = read([{**DOCUMENTED, field: value}])

    assert getattr(connection, name) == expected


@pytest.mark.parametrize("field", ["id", "tenantId"])
@pytest.mark.parametrize("value", [None, 7, [], "", {}])
def test_a_connection_without_its_ids_makes_the_list_unusable(field: str, value: Any) -> None:
    """Nothing is concluded from half a list: a missing tenant would seem disconnected."""
    with pytest.raises(XeroAnswerUnusable):
        read([DOCUMENTED, {**DOCUMENTED, field: value}])


@pytest.mark.parametrize("entry", [None, "text", 7, []])
def test_an_entry_that_is_no_object_makes_the_list_unusable(entry: Any) -> None:
    with pytest.raises(XeroAnswerUnusable):
        read([DOCUMENTED, entry])


@pytest.mark.parametrize("body", [None, {}, {"connections": []}, "text", 7])
def test_what_is_no_list_is_unusable(body: Any) -> None:
    with pytest.raises(XeroAnswerUnusable):
        read(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b'[{"id":', b"[" * 60_000])
def test_what_is_no_json_is_unusable(body: bytes) -> None:
    with pytest.raises(XeroAnswerUnusable):
        read_connections(Answer(200, {}, body))


def test_a_refused_token_is_told_apart_from_an_empty_list() -> None:
    with pytest.raises(AccessRefused):
        read_connections(Answer(401, {}, b"[]"))


@given(st.lists(st.dictionaries(st.sampled_from(list(DOCUMENTED)), JSON) | JSON))
def test_no_list_whatever_breaks_the_reading(body: list[Any]) -> None:
    with contextlib.suppress(XeroAnswerUnusable):
        read(body)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2019-12-07T18:46:19.5165400", 516540),
        ("2019-12-07T18:46:19.516540", 516540),
        ("2019-12-07T18:46:19.516", 516000),
        ("2019-12-07T18:46:19.5", 500000),
        ("2019-12-07T18:46:19.5165400Z", 516540),
        ("2019-12-07T18:46:19", 0),
        ("2019-12-07T18:46:19Z", 0),
    ],
)
def test_a_date_has_any_number_of_digits_and_is_utc(text: str, microsecond: int) -> None:
    assert read_date(text) == datetime(2019, 12, 7, 18, 46, 19, microsecond, tzinfo=UTC)


@given(st.text() | st.datetimes().map(lambda moment: moment.isoformat() + "0"))
def test_a_date_is_aware_or_nothing(text: str) -> None:
    found = read_date(text)

    assert found is None or found.tzinfo is not None
