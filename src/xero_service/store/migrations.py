"""The migrations that this code carries, and whether it can work on a database's schema.

A code is named by the newest migration that it carries. Each migration declares in `oldest_code`
the oldest code that works on the schema after it. A *contract* migration removes what older code
uses: it names itself. Read from the files' text, because importing them imports Alembic, which
takes a seventh of the CPU time of a serving process's imports (ADR 0013).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeGuard

from xero_service.errors import CodeOutdated, ConfigError, MigrationsPending

# In a checkout the migrations lie at its root; an installed wheel carries them in the package.
_PACKAGE = Path(__file__).parents[1]
DIRECTORIES = (_PACKAGE / "migrations", _PACKAGE.parents[1] / "migrations")
_OLDEST_CODE = re.compile(r'^oldest_code = "([0-9]{4})"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file below migrations/versions. Revisions ascend along the chain."""

    revision: str
    oldest_code: str
    summary: str
    is_contract: bool


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The newest migration applied to a database, and the oldest code that works on it."""

    revision: str | None
    oldest_code: str | None = None  # None before the migration that records it


def directory() -> Path:
    """Return the directory of the migrations."""
    return next(each for each in DIRECTORIES if each.is_dir())


@cache
def carried() -> tuple[Migration, ...]:
    """Return the migrations that this code carries, the oldest first."""
    return tuple(_read(sorted((directory() / "versions").glob("[0-9]*_*.py"))))


def newest() -> str:
    """Return the newest migration that this code carries, which names this code."""
    return carried()[-1].revision


def required() -> str:
    """Return the newest migration that must be applied before this code serves."""
    return [each for each in carried() if not each.is_contract][-1].revision


def is_past(revision: str | None) -> bool:
    """Return whether a revision is newer than the newest that this code carries."""
    return _is_number(revision) and int(revision) > int(newest())


def serves(state: SchemaState) -> bool:
    """Return whether this code works on a schema: it is new enough, and this code is, too."""
    return _has_required(state.revision) and not is_outdated(state)


def is_outdated(state: SchemaState) -> bool:
    """Return whether the schema is past what this code works on."""
    return _is_number(state.oldest_code) and int(state.oldest_code) > int(newest())


def require(state: SchemaState) -> None:
    """Raise MigrationsPending or CodeOutdated unless this code works on the schema."""
    if is_outdated(state):
        raise CodeOutdated("Roll out the newer code that this database was migrated for.")
    if not _has_required(state.revision):
        raise MigrationsPending("Run xero-service migrate.")


def require_recent_code(state: SchemaState) -> None:
    """Raise ConfigError where the schema is past what this code works on."""
    if is_outdated(state):
        raise ConfigError(
            f"This code is too old for its database: it carries the migrations up to {newest()},"
            f" and only code that carries {state.oldest_code} works there since a contract"
            " migration. Roll out that code or newer."
        )


def pending(revision: str | None, *, with_contracts: bool) -> tuple[Migration, ...]:
    """Return the migrations to apply to a database at `revision`, the oldest first.

    Without `with_contracts`, contract migrations at the end are left out, unless the database is
    new; those before another migration have to be applied with it.
    """
    if revision is None:
        return carried()
    later = [each for each in carried() if int(each.revision) > int(revision)]
    while later and later[-1].is_contract and not with_contracts:
        later.pop()
    return tuple(later)


def applied(revision: str) -> Iterator[Migration]:
    """Yield the migrations that are applied to a database at `revision`."""
    yield from (each for each in carried() if int(each.revision) <= int(revision))


def _has_required(revision: str | None) -> bool:
    return _is_number(revision) and int(revision) >= int(required())


def _is_number(revision: str | None) -> TypeGuard[str]:
    return revision is not None and revision.isascii() and revision.isdecimal()


def _read(paths: list[Path]) -> Iterator[Migration]:
    for path in paths:
        text, revision = path.read_text(encoding="utf-8"), path.name.partition("_")[0]
        declared = _OLDEST_CODE.search(text)
        oldest_code = declared.group(1) if declared else "0001"
        summary = text.partition('"""')[2].partition("\n")[0].rstrip('".')
        yield Migration(
            revision, oldest_code, summary, oldest_code == revision and path != paths[0]
        )
