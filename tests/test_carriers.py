"""Every requirement is carried by a test that names it, so that none is dropped unnoticed.

S and R number the requirements, and A, B, C and E the faults that a review found: the docstrings
and names of tests quote them.
"""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "frontend"
CI = TESTS.parent / ".ci"
SECURITY = [*(f"S{number}" for number in range(1, 58)), "S62"]
RELIABILITY = [*(f"R{number}" for number in range(1, 28)), "R19b", "R29"]
FAULTS = [
    f"{section}{number}"
    for section, last in {"A": 4, "B": 11, "C": 18, "E": 7}.items()
    for number in range(1, last + 1)
]


def named() -> set[str]:
    """The ids that test files name: in words as R9 or S16, in a test's name as `_r9`."""
    files = [*TESTS.rglob("test_*.py"), *(PAGE / "src").rglob("*.test.ts*"), CI / "installs"]
    files += (PAGE / "e2e").rglob("*.ts")
    files = [each for each in files if each != Path(__file__) and "node_modules" not in each.parts]
    words = " ".join(each.read_text() for each in files)
    ids = re.findall(r"(?<![A-Za-z0-9])([A-CERS]\d{1,2}b?|(?<=_)[a-cers]\d{1,2}b?)\b", words)
    return {found.capitalize() for found in ids}


@pytest.mark.parametrize("ids", [SECURITY, RELIABILITY, FAULTS], ids=["S", "R", "faults"])
def test_every_requirement_has_a_test_that_names_it(ids: list[str]) -> None:
    assert sorted(set(ids) - named()) == []
