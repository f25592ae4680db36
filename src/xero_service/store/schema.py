"""Runs the migrations, and knows which revision this code expects.

Only `migrate` uses Alembic, so its functions import it: at the top it would take a seventh of the
CPU time of a serving process's imports (ADR 0013).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from xero_service.errors import ServiceBusy
from xero_service.store.db_errors import translate_db_errors

if TYPE_CHECKING:
    from alembic.config import Config

LOCK_NOT_AVAILABLE = "55P03"
# In a checkout the migrations lie at its root; an installed wheel carries them in the package.
_PACKAGE = Path(__file__).parents[1]
_DIRECTORIES = (_PACKAGE / "migrations", _PACKAGE.parents[1] / "migrations")


def _migrations() -> Path:
    return next(each for each in _DIRECTORIES if each.is_dir())


def _config(url: str, *, service_role: str | None = None) -> "Config":
    from alembic.config import Config

    config = Config(stdout=sys.stdout)  # the default is bound when alembic is imported
    config.set_main_option("script_location", str(_migrations()))
    config.attributes["url"] = url
    config.attributes["service_role"] = service_role
    return config


def upgrade(url: str, *, service_role: str | None = None) -> None:
    """Apply every pending migration, then grant the service role its privileges.

    Waits for another process that migrates the same database. Raises ConfigError for an unusable
    service role, ServiceBusy for a database that is away or whose tables are in use.
    """
    from alembic import command

    with _explain_lock_timeouts(), translate_db_errors():
        command.upgrade(_config(url, service_role=service_role), "head")


def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to `revision` (`base`: all)."""
    from alembic import command

    command.downgrade(_config(url), revision)


def check(url: str) -> None:
    """Raise alembic's CommandError where the tables declared differ from those migrated."""
    from alembic import command

    command.check(_config(url))


@contextmanager
def _explain_lock_timeouts() -> Iterator[None]:
    try:
        yield
    except ServiceBusy as busy:
        if getattr(getattr(busy.__cause__, "orig", None), "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise ServiceBusy(
            "A table that the next migration changes was in use for too long, so that migration"
            " was not applied; those before it were. Run `xero-service migrate` again, when no"
            " long transaction (a backup, a session left open) holds the table."
        ) from busy


@cache
def expected_revision() -> str | None:
    """Return the newest migration that this code knows; files are named by their revision."""
    names = (path.name for path in (_migrations() / "versions").glob("[0-9]*_*.py"))
    return max((name.partition("_")[0] for name in names), default=None)


def is_past(revision: str | None) -> bool:
    """Whether a revision is newer than the newest that this code knows.

    Revisions are numbers that ascend along the chain (migrations/script.py.mako).
    """
    expected = expected_revision()
    return _is_number(revision) and expected is not None and int(revision) > int(expected)


def serves(revision: str | None) -> bool:
    """Whether this code can serve with a database at `revision`: the expected or a newer one."""
    return revision is not None and (revision == expected_revision() or is_past(revision))


def _is_number(revision: str | None) -> TypeGuard[str]:
    return revision is not None and revision.isascii() and revision.isdecimal()
