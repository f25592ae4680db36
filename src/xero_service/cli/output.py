"""Safe output of names that users chose: no markup, no terminal control characters."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


def plain(text: str) -> str:
    """Return a text with unprintable and bidirectional control characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    if_empty: str,
    width: int = 200,
) -> None:
    """Print a table, or `if_empty` (the next step) on standard error.

    `width`: in characters, where the output is no terminal. Cells are `Text`, because rich would
    replace `:smile:` in a string even where its markup is escaped.
    """
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    if not table.row_count:
        typer.echo(if_empty, err=True)
        return
    Console(width=None if Console().is_terminal else width).print(table)


def record(item: object, *names: str) -> dict[str, object]:
    """Return these attributes of an item under their names in the API."""
    return {_camel(name): getattr(item, name) for name in names}


def print_json(records: Iterable[Mapping[str, object]]) -> None:
    """Print one JSON object a line, in ASCII, so that no user's name controls the terminal."""
    for each in records:
        typer.echo(json.dumps(each, default=_json))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _json(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(type(value).__name__)
