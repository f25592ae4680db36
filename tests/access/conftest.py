"""The option that writes the golden file anew."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-matrix", action="store_true", help="Write tests/access/matrix.txt.")
