"""Read points in time as people type them: `90d`, `12h`, or a date."""

import re
from datetime import UTC, datetime, timedelta

import typer


def ahead(text: str) -> datetime:
    """Read a point in the future; raises BadParameter."""
    return datetime.now(UTC) + span if (span := _span(text)) else _date(text)


def ago(text: str) -> datetime:
    """Read a point in the past; raises BadParameter."""
    return datetime.now(UTC) - span if (span := _span(text)) else _date(text)


def _span(text: str) -> timedelta | None:
    parts = re.fullmatch(r"(\d{1,5})([dh])", text)
    if parts is None:
        return None
    amount = int(parts[1])
    return timedelta(days=amount) if parts[2] == "d" else timedelta(hours=amount)


def _date(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("Use 90d, 12h, or a date such as 2027-01-31.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
