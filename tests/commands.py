"""`xero-service …` in this process, as the program runs it: quicker than a process each."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import structlog

from xero_service import cli


@dataclass(frozen=True)
class Ended:
    """How a command ended, and all that it said."""

    code: object
    said: str


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ended:
    """Run a command, configured by the environment; in a thread where a loop is running."""
    with pytest.MonkeyPatch.context() as patch, _logging_kept():
        patch.setattr(sys, "argv", ["xero-service", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.run()
    return Ended(ended.value.code or 0, "".join(capsys.readouterr()))


@contextmanager
def _logging_kept() -> Iterator[None]:
    """A command writes its log to a stream that ends with the test."""
    root, told = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**told)
