"""Xero's list of connections is read as it comes in the wild, and never guessed at."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xero.test_token_answers import JSON
from xero_service.domain import Connection, Connections
from xero_service.errors import XeroAccessRefused, XeroInvalidResponse
from xero_service.xero.http import HttpResponse
from xero_service.xero.responses import read_connections, read_date

DOCUMENTED: dict[str, Any] = {
    "id": "7cb59f93-2964-421d-bb5e-a0f7a4572a44",
    "authEventId": "d0ddcf81-f942-4f4d-b3c7-f98045204db4",
    "tenantId": "fe79f7dd-b6d4-4a92-ba7b-538af6289c58",
    "tenantType": "ORGANISATION",
    "tenantName": "Demo Company (NZ)",
    "createdDateUtc": "2019-12-07T18:46:19.5165400",
    "updatedDateUtc": "2019-12-07T18:46:19.5187840",
}


def read(body: Any) -> Connections:
    return read_connections(HttpResponse(200, {}, json.dumps(body).encode()))


def test_a_documented_connection_is_read() -> None:
    assert tuple(read([DOCUMENTED])) == (
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
    found = read([])

    assert (len(found), found.is_complete) == (0, True)


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


OTHER = {**DOCUMENTED, "id": "other-id", "tenantId": "other-tenant"}
ABSENT = "(absent)"


@pytest.mark.parametrize("field", ["id", "tenantId"])
@pytest.mark.parametrize(
    "value",
    [None, ABSENT, 7, 7.5, True, [], "", " ", {}, "a b", "a\nb", "\u00fc", "\ud800", "x" * 101],
    ids=ascii,
)
def test_a_connection_without_its_ids_is_left_out_c11(
    field: str, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """C11: the others are read; the list says that it lacks something, and so does the log."""
    odd = {**DOCUMENTED, field: value, "tenantName": "Somebody's name"}
    if value == ABSENT:
        del odd[field]

    found = read([odd, OTHER])

    assert [each.tenant_id for each in found] == ["other-tenant"]
    assert not found.is_complete
    assert ("other-id" in found.ids, DOCUMENTED["id"] in found.ids) == (True, field == "tenantId")
    logged = capsys.readouterr()
    assert "cannot be read" in logged.out + logged.err
    assert "Somebody" not in logged.out + logged.err


@pytest.mark.parametrize("entry", [None, "text", 7, []])
def test_an_entry_that_is_no_object_is_left_out_c11(entry: Any) -> None:
    """C11."""
    found = read([DOCUMENTED, entry])

    assert [each.tenant_id for each in found] == [DOCUMENTED["tenantId"]]
    assert not found.is_complete


@pytest.mark.parametrize(
    ("change", "newer"),
    [
        ({}, False),
        ({"updatedDateUtc": "2020-01-01T00:00:00.0000000"}, True),
        ({"updatedDateUtc": "2018-01-01T00:00:00.0000000"}, False),
        ({"updatedDateUtc": None, "createdDateUtc": "2021-01-01T00:00:00.0000000"}, True),
        ({"updatedDateUtc": None, "createdDateUtc": None}, False),
        ({"updatedDateUtc": "soon", "createdDateUtc": 7}, False),
        ({"authEventId": None}, False),
    ],
)
def test_a_tenant_that_is_listed_twice_is_one_choice_the_newest_c11(
    change: dict[str, Any], newer: bool
) -> None:
    """C11: in whichever order they are listed; the ids of both stay known."""
    second = {**DOCUMENTED, "id": "0-second", **change}

    one, other = read([DOCUMENTED, second, OTHER]), read([OTHER, second, DOCUMENTED])

    (kept,) = {c for found in (one, other) for c in found if c.tenant_id == DOCUMENTED["tenantId"]}
    assert kept.connection_id == ("0-second" if newer else DOCUMENTED["id"])
    assert len(one) == len(other) == 2
    assert one.ids == {"0-second", DOCUMENTED["id"], "other-id"}
    assert one.is_complete


def test_the_same_entry_twice_is_one_choice_c11() -> None:
    """C11."""
    assert len(read([DOCUMENTED, DOCUMENTED])) == 1


@pytest.mark.parametrize("body", [None, {}, {"connections": []}, "text", 7])
def test_what_is_no_list_is_unusable(body: Any) -> None:
    with pytest.raises(XeroInvalidResponse):
        read(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b'[{"id":', b"[" * 60_000])
def test_what_is_no_json_is_unusable(body: bytes) -> None:
    with pytest.raises(XeroInvalidResponse):
        read_connections(HttpResponse(200, {}, body))


def test_a_refused_token_is_told_apart_from_an_empty_list() -> None:
    with pytest.raises(XeroAccessRefused):
        read_connections(HttpResponse(401, {}, b"[]"))


@given(st.lists(st.dictionaries(st.sampled_from(list(DOCUMENTED)), JSON) | JSON))
def test_no_list_whatever_breaks_the_reading(body: list[Any]) -> None:
    with contextlib.suppress(XeroInvalidResponse):
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
