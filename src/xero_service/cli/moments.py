"""Read points in time as people type them: `90d`, `12h`, or a date."""

import re
from datetime import UTC, datetime, timedelta

import typer

_SPAN = re.compile(r"(\d{1,9})([dh])", re.ASCII)
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}


def ahead(text: str, *, option: str) -> datetime:
    """Read a point in the future; raises BadParameter, which names the option."""
    at = _read(text, option, sign=1)
    if at <= datetime.now(UTC):
        raise typer.BadParameter(f"{option}: must lie in the future.")
    return at


def ago(text: str, *, option: str) -> datetime:
    """Read a point in the past; raises BadParameter, which names the option."""
    at = _read(text, option, sign=-1)
    if at > datetime.now(UTC):
        raise typer.BadParameter(f"{option}: must lie in the past.")
    return at


def _read(text: str, option: str, *, sign: int) -> datetime:
    try:
        if parts := _SPAN.fullmatch(text):
            return datetime.now(UTC) + sign * int(parts[1]) * _UNITS[parts[2]]
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{option}: use 90d, 12h, or a date such as 2027-01-31."
        ) from error
