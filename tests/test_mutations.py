"""Each requirement's test fails when the source breaks the requirement (`make soak`)."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.postgres import Postgres
from tests.mutations import MUTATIONS, Mutation
from tests.repository import ROOT

# What the tests of MUTATIONS need of the repository.
COPIED = ["src", "tests", "migrations", "demo", "pyproject.toml", ".env.example"]
SECONDS_FOR_A_TEST = 120
IDS = [f"{each.requirement}: {each.breaks}" for each in MUTATIONS]


def files_with(text: str, *, below: Path) -> list[Path]:
    """Return the files of the service and its migrations that contain a text."""
    folders = [below / "src" / "xero_service", below / "migrations" / "versions"]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return [path for path in files if text in path.read_text()]


def files_of(test: str) -> list[Path]:
    """Return the files that have a test of this name, from the root of the repository."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [
        path.relative_to(ROOT)
        for path in files
        if re.search(rf"^(?:async )?def {test}\(", path.read_text(), re.MULTILINE)
    ]


def test_there_are_mutations_of_different_requirements() -> None:
    assert len(MUTATIONS) >= 20
    assert len({each.requirement for each in MUTATIONS}) >= 20


@pytest.mark.parametrize("mutation", MUTATIONS, ids=IDS)
def test_each_mutation_has_one_file_and_one_test(mutation: Mutation) -> None:
    """Renaming code or a test must take its mutation along."""
    table = (ROOT / "docs" / "requirements.md").read_text()

    assert len(files_with(mutation.old, below=ROOT)) == 1
    assert len(files_of(mutation.test)) == 1
    assert f"\n| {mutation.requirement} |" in table


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the repository's code, which may be changed."""
    place = tmp_path_factory.mktemp("mutations") / "copy"
    place.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            _ = shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            _ = shutil.copy2(source, place / name)
    yield place
    shutil.rmtree(place)


def run_tests(copy: Path, names: list[str], server: Postgres) -> str:
    """Run tests in the copy, until one fails; return the last line that pytest prints."""
    tests = [f"{file}::{name}" for name in names for file in files_of(name)]
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
            cwd=copy,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(copy / "src"), str(copy)]),
                "PYTHONDONTWRITEBYTECODE": "1",
                "DATABASE_URL": server.url,
            },
            capture_output=True,
            text=True,
            timeout=SECONDS_FOR_A_TEST * len(names),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "out of time"
    return (run.stdout.strip().splitlines() or [run.stderr])[-1]


@pytest.mark.soak
def test_the_tests_pass_on_the_source_as_it_is(copy: Path, postgres_server: Postgres) -> None:
    names = sorted({each.test for each in MUTATIONS})

    assert re.fullmatch(r"\d+ passed[^,]*", run_tests(copy, names, postgres_server))


@pytest.mark.soak
@pytest.mark.parametrize("mutation", MUTATIONS, ids=IDS)
def test_a_broken_requirement_fails_its_test(
    mutation: Mutation, copy: Path, postgres_server: Postgres
) -> None:
    (place,) = files_with(mutation.old, below=copy)
    unbroken = place.read_text()
    place.write_text(unbroken.replace(mutation.old, mutation.new))
    try:
        last_line = run_tests(copy, [mutation.test], postgres_server)
    finally:
        place.write_text(unbroken)

    # A failed assertion of the test itself: code that does not load gives errors only.
    assert re.search(r"\d+ failed", last_line), last_line
