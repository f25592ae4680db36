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


def test_the_command_finds_a_running_stack_and_its_exit_code_and_logs_stay() -> None:
    done = around(sys.executable, "-c", f"{ASK}\nraise SystemExit(7)")

    assert done.returncode == 7, done.stderr
    urls = done.stdout.split()
    assert len(urls) == 2
    for url in urls:  # nothing runs afterwards
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)
    directory = ROOT / done.stderr.split()[-1].rstrip(".")
    assert list(directory.glob("service-*.log"))
    shutil.rmtree(directory)


def test_without_a_command_it_says_how_it_is_used() -> None:
    done = around()

    assert done.returncode == 1
    assert done.stderr.startswith("usage:")
