"""docs/requirements.md and the tests are in step: every requirement has a test that names it.

Tests name a requirement in a docstring or comment (`R9`, `S16`) or at the end of their own name
(`…_c15`).
"""

import re
from functools import cache
from pathlib import Path

from tests.repository import ROOT, label

TABLE = (ROOT / "docs" / "requirements.md").read_text()
ROWS = re.findall(r"^\| ([A-Z]\d{1,2}b?) \| (.+) \| (.+) \|$", TABLE, re.MULTILINE)
LISTED = [row[0] for row in ROWS]
NOT_BUILT = re.findall(r"\b[RS]\d{1,2}\b", TABLE.partition("## Not built yet")[2])
# Not after a percent sign, which would make it a part of an encoded path.
ID = re.compile(r"(?<![A-Za-z0-9%])([A-CEORS]\d{1,2}b?|(?<=_)[a-ceors]\d{1,2}b?)\b")


@cache
def quoted_in(path: Path) -> set[str]:
    """Return the ids that a test file quotes."""
    return {found.capitalize() for found in ID.findall(path.read_text())}


def files_with_tests() -> list[Path]:
    """Return all that may show a requirement: tests of the service, of the page, of installing."""
    page = [*(ROOT / "frontend/src").rglob("*.test.ts*"), *(ROOT / "frontend/e2e").rglob("*.ts")]
    files = [*(ROOT / "tests").rglob("test_*.py"), *page, ROOT / ".ci" / "installs"]
    return [file for file in files if "node_modules" not in file.parts and file != Path(__file__)]


def test_each_requirement_has_one_row() -> None:
    assert len(LISTED) == len(set(LISTED))
    assert not set(LISTED) & set(NOT_BUILT)
    assert {f"R{number}" for number in range(1, 36)} <= {*LISTED, *NOT_BUILT}
    assert {f"S{number}" for number in range(1, 64)} <= {*LISTED, *NOT_BUILT}


def test_each_requirement_is_named_by_the_files_that_its_row_names() -> None:
    missing = [
        f"{requirement}: {file}"
        for requirement, _, shown_by in ROWS
        for file in re.findall(r"`([^`]+)`", shown_by)
        if not (ROOT / file).is_file() or requirement not in quoted_in(ROOT / file)
    ]
    assert missing == []
    assert all("`" in shown_by for _, _, shown_by in ROWS)


def test_each_id_that_a_test_quotes_has_a_row() -> None:
    unknown = {
        f"{requirement} in {label(file)}"
        for file in files_with_tests()
        for requirement in quoted_in(file) - set(LISTED)
    }
    assert unknown == set()
