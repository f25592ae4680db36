"""The command refuses to start with a wrong configuration, as a message and not a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.environment import without_service_variables
from tests import commands
from tests.settings.conftest import COMPLETE, Environment

COMMAND = Path(sys.executable).with_name("xero-service")


def run(*arguments: str, directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        env={**without_service_variables(os.environ), **variables},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_serve_names_every_fault_and_stops(tmp_path: Path) -> None:
    """S41."""
    done = run("serve", directory=tmp_path, **{**COMPLETE, "ENCRYPTION_KEY": "short"})

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "The configuration is not usable:\n"
        "  ENCRYPTION_KEY must be 64 hexadecimal characters, or 32 characters\n"
    )


@pytest.mark.parametrize("command", ["serve", "upkeep", "migrate"])
def test_no_command_starts_without_a_configuration(
    variables: Environment, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """S41."""
    variables.remove(*COMPLETE)

    done = commands.run(capsys, command)

    assert done.code == 2
    assert "\n  DATABASE_URL is missing\n" in done.said
    assert "Traceback" not in done.said
