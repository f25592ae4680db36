"""`python -m demo.around`: a command, with a stack of its own around it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
ASK = """
import os, httpx
for name, path in (("XERO_SERVICE_URL", "/readyz"), ("XERO_SANDBOX_URL", "/session/people")):
    print(os.environ[name])
    assert httpx.get(os.environ[name] + path, trust_env=False).status_code == 200
"""


def around(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "demo.around", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AUTH_ISSUER": "https://elsewhere.example.com"},
    )


def test_the_command_finds_a_running_stack_and_nothing_runs_afterwards() -> None:
    done = around(sys.executable, "-c", ASK)

    assert done.returncode == 0, done.stderr
    for url in done.stdout.split():
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)


def test_the_exit_code_is_the_commands_and_the_logs_stay_for_a_failure() -> None:
    done = around(sys.executable, "-c", "raise SystemExit(7)")

    assert done.returncode == 7
    directory = ROOT / done.stderr.split()[-1].rstrip(".")
    assert list(directory.glob("service-*.log"))
    shutil.rmtree(directory)


def test_without_a_command_it_says_how_it_is_used() -> None:
    done = around()

    assert done.returncode == 1
    assert done.stderr.startswith("usage:")
