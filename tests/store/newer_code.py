"""Newer code than this: two more migrations, an additive one and a contract one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from xero_service.store import migrations

EXPAND, CONTRACT = "9001", "9002"
_MIGRATION = '''"""{summary}."""

from alembic import op

revision = "{revision}"
down_revision = "{follows}"
oldest_code = "{oldest_code}"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE integration_grants {change}")


def downgrade() -> None:
    raise NotImplementedError
'''


def add_migration(
    directory: Path, revision: str, *, follows: str, oldest_code: str, change: str
) -> None:
    """Write a migration of the table of grants below `directory`."""
    text = _MIGRATION.format(
        summary=f"Test {revision}",
        revision=revision,
        follows=follows,
        oldest_code=oldest_code,
        change=change,
    )
    (directory / "versions" / f"{revision}_test.py").write_text(text)


@contextmanager
def newer_code(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let this process carry two more migrations; yields the directory of all."""
    follows = migrations.newest()
    place = directory / "migrations"
    shutil.copytree(migrations.directory(), place, ignore=shutil.ignore_patterns("__pycache__"))
    add_migration(
        place, EXPAND, follows=follows, oldest_code="0001", change="ADD COLUMN extra text"
    )
    add_migration(place, CONTRACT, follows=EXPAND, oldest_code=CONTRACT, change="DROP COLUMN extra")
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "DIRECTORIES", (place,))
        migrations.carried.cache_clear()
        yield place
    migrations.carried.cache_clear()
