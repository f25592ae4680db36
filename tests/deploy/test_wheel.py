"""What the image installs: the wheel alone can migrate a database, without the repository."""

import asyncio
import subprocess
import sys
import zipfile
from pathlib import Path

import asyncpg
import pytest

from demo import postgres

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as the Dockerfile does and unpacked beside nothing else of ours."""
    built, place = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", built],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def test_the_wheel_offers_the_service_as_a_command(installed: Path) -> None:
    (metadata,) = installed.glob("*.dist-info")

    assert (
        "xero-service = xero_service.__main__:main" in (metadata / "entry_points.txt").read_text()
    )


def test_the_wheel_carries_the_migrations_and_runs_them(installed: Path) -> None:
    with postgres.embedded(postgres.DISPOSABLE) as server:
        url = server.create_database()

        done = subprocess.run(
            [sys.executable, "-c", "from xero_service.__main__ import main; main()", "migrate"],
            cwd=installed,
            env={"PYTHONPATH": str(installed), "DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        assert asyncio.run(tables(url)) >= {"integration_grants", "integration_tenant_bindings"}


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables")
        return {str(row["tablename"]) for row in rows}
    finally:
        await connection.close()
