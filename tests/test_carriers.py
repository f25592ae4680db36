"""Every requirement is carried by a test that names it, so that none is dropped unnoticed.

S1 to S52 and R1 to R27 are the ids that the docstrings and names of tests quote.
"""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "frontend"
SECURITY = [f"S{number}" for number in range(1, 53)]
RELIABILITY = [*(f"R{number}" for number in range(1, 28)), "R19b"]


def named() -> set[str]:
    """The ids that test files name: in words as R9 or S16, in a test's name as `_r9`."""
    files = [*TESTS.rglob("test_*.py"), *(PAGE / "src").rglob("*.test.ts*")]
    files += (PAGE / "e2e").rglob("*.ts")
    files = [each for each in files if each != Path(__file__) and "node_modules" not in each.parts]
    words = " ".join(each.read_text() for each in files)
    return {
        found.group(1).upper().replace("B", "b")
        for found in re.finditer(r"(?<![A-Za-z0-9])([SR]\d{1,2}b?|(?<=_)[sr]\d{1,2}b?)\b", words)
    }


@pytest.mark.parametrize("ids", [SECURITY, RELIABILITY], ids=["S", "R"])
def test_every_requirement_has_a_test_that_names_it(ids: list[str]) -> None:
    assert sorted(set(ids) - named()) == []
