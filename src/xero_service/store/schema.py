"""Bring the schema to the newest migration, and say which one the code expects."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

# In a checkout the migrations lie at its root; an installed wheel carries them in the package.
_PACKAGE = Path(__file__).parents[1]
_PLACES = (_PACKAGE / "migrations", _PACKAGE.parents[1] / "migrations")


def _config(url: str | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(next(p for p in _PLACES if p.is_dir())))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Run every migration that the database has not seen."""
    command.upgrade(_config(url), "head")


def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to `revision` (`base`: all)."""
    command.downgrade(_config(url), revision)


def check(url: str) -> None:
    """Raise alembic's CommandError where the tables declared differ from those migrated."""
    command.check(_config(url))


@cache
def expected_revision() -> str | None:
    """Return the newest migration that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()
