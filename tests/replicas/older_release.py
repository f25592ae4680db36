"""The service of an older commit, built as a wheel from the repository's history."""

import os
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

from demo.environment import without_service_variables

ROOT = Path(__file__).parents[2]
FIRST_THAT_OUTLIVES_A_MIGRATION = "69d614507762569045a81ecce6050e11bf5f7950"


def last_release() -> str | None:
    """Return the last tag, before there is one a fixed commit; None where history lacks it."""
    tag = _git("describe", "--tags", "--abbrev=0", "HEAD")
    commit = tag.stdout.decode().strip() if tag.returncode == 0 else FIRST_THAT_OUTLIVES_A_MIGRATION
    return commit if _git("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0 else None


def build(commit: str, directory: Path) -> str:
    """Return the path of an `xero-service` that runs the wheel of a commit."""
    source, built, place = directory / "source", directory / "dist", directory / "installed"
    archive = _git("archive", "--format=tar", commit)
    assert archive.returncode == 0, archive.stderr
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(source, filter="data")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", built],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(place)  # noqa: S202 - built above from this repository
    program = directory / "xero-service"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(place)!r})\n"
        "from xero_service.__main__ import main\nmain()\n"
    )
    program.chmod(0o755)
    return str(program)


def run(program: str, *arguments: str, environment: dict[str, str], directory: Path) -> str:
    """Run a command of an `xero-service` and return what it printed."""
    done = subprocess.run(
        [program, *arguments],
        env={**without_service_variables(os.environ), **environment},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
