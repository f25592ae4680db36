"""Bring the schema to the newest migration, and say which one the code expects.

Alembic is imported where it works, because a process that serves would start a tenth later for it.
"""

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from xero_service.store.outages import outages_are_busy

if TYPE_CHECKING:
    from alembic.config import Config

# In a checkout the migrations lie at its root; an installed wheel carries them in the package.
_PACKAGE = Path(__file__).parents[1]
_PLACES = (_PACKAGE / "migrations", _PACKAGE.parents[1] / "migrations")


def _migrations() -> Path:
    return next(place for place in _PLACES if place.is_dir())


def _config(url: str) -> "Config":
    from alembic.config import Config

    config = Config(stdout=sys.stdout)  # its own default is that of its import
    config.set_main_option("script_location", str(_migrations()))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Run every migration that the database has not seen; raises ServiceBusy where it is away."""
    from alembic import command

    with outages_are_busy():
        command.upgrade(_config(url), "head")


def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to `revision` (`base`: all)."""
    from alembic import command

    command.downgrade(_config(url), revision)


def check(url: str) -> None:
    """Raise alembic's CommandError where the tables declared differ from those migrated."""
    from alembic import command

    command.check(_config(url))


@cache
def expected_revision() -> str | None:
    """Return the newest migration that this code knows; files are named by their revision."""
    names = (path.name for path in (_migrations() / "versions").glob("[0-9]*_*.py"))
    return max((name.partition("_")[0] for name in names), default=None)


def is_past(revision: str | None) -> bool:
    """Whether a database is at a migration that this code does not know yet.

    Revisions are numbers that ascend along the chain (migrations/script.py.mako), so a greater
    one is a later one.
    """
    expected = expected_revision()
    return _is_number(revision) and expected is not None and int(revision) > int(expected)


def serves(revision: str | None) -> bool:
    """Whether this code works with a database at `revision`: its own newest, or a later one."""
    return revision is not None and (revision == expected_revision() or is_past(revision))


def _is_number(revision: str | None) -> TypeGuard[str]:
    return revision is not None and revision.isascii() and revision.isdecimal()
