"""What operators see of names that others chose: never markup, never orders to the terminal."""

from collections.abc import Iterable, Sequence


def plain(text: str) -> str:
    """Return a text with whatever cannot be printed, or turns the line around, spelt out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, width: int = 200) -> None:
    """Print a table; `width`: in characters, where no terminal has one.

    Cells are texts as they are: an escaped string would still have its `:smile:` replaced.
    """
    from rich.console import Console  # here, because whoever serves would start later for it
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    Console(width=None if Console().is_terminal else width).print(table)
