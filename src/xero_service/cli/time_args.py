"""Parsers of times in options: `90d`, `12h`, or a date."""

import re
from datetime import UTC, datetime, timedelta

import typer

_SPAN = re.compile(r"(\d{1,9})([dh])", re.ASCII)
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}
_SHORTEST_RETENTION = timedelta(days=365)


def ahead(text: str) -> datetime:
    """Return a time in the future; raises BadParameter."""
    at = _parse(text, sign=1)
    if at <= datetime.now(UTC):
        raise typer.BadParameter("It must lie in the future.")
    return at


def ago(text: str) -> datetime:
    """Return a time in the past; raises BadParameter."""
    at = _parse(text, sign=-1)
    if at > datetime.now(UTC):
        raise typer.BadParameter("It must lie in the past.")
    return at


def beyond_retention(text: str) -> datetime:
    """Return a time more than a year ago, before which events may be deleted."""
    at = ago(text)
    if at > datetime.now(UTC) - _SHORTEST_RETENTION:
        raise typer.BadParameter("A year of events must be kept; give 365d or more.")
    return at


def _parse(text: str, *, sign: int) -> datetime:
    try:
        if parts := _SPAN.fullmatch(text):
            return datetime.now(UTC) + sign * int(parts[1]) * _UNITS[parts[2]]
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter("Use 90d, 12h, or a date such as 2027-01-31.") from error
