"""Builds the wheels that others install: `python deploy/wheels.py DIRECTORY`.

One distribution here is two there: `xero_service` without the sandbox, and `xero_sandbox`, which
imports nothing of the service. Both come from the one pyproject.toml.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What the sandbox imports, beside what its extra names.
SANDBOX_NEEDS = (
    "cryptography",
    "fastapi",
    "fastapi-offline",
    "httpx",
    "pyjwt",
    "typer",
    "uvicorn",
)


def service_project() -> str:
    """Return the pyproject.toml of the wheel without the sandbox."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for sandbox, replacement in (
        (r"\[project\.optional-dependencies\]\nsandbox = \[.*?\n\]\n", ""),
        (r"xero-sandbox = [^\n]*\n", ""),
        (r', "src/xero_sandbox"\]', "]"),
    ):
        project, replaced = re.subn(sandbox, replacement, project, count=1, flags=re.DOTALL)
        if not replaced:
            sys.exit(f"pyproject.toml has no {sandbox}: change {__file__} with it.")
    return project


def sandbox_project() -> str:
    """Return the pyproject.toml of the sandbox's own wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = {
        re.split(r"[^\w-]", dependency, maxsplit=1)[0]: dependency
        for dependency in project["dependencies"]
    }
    needed = [versions[name] for name in SANDBOX_NEEDS]
    needed += project["optional-dependencies"]["sandbox"]
    return f"""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "xero-sandbox"
version = "{project["version"]}"
description = "A local Xero, and a session issuer, to test against."
requires-python = "{project["requires-python"]}"
license = "{project["license"]}"
license-files = ["LICENSE"]
dependencies = {json.dumps(needed)}

[project.scripts]
xero-sandbox = "xero_sandbox.cli:main"

[tool.hatch.build.targets.wheel]
packages = ["src/xero_sandbox"]
"""


def build(project: str, into: Path) -> None:
    """Build the wheel of a copy of the repository with this pyproject.toml."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch)
        for name in ("README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        for name in ("src", "migrations"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "pyproject.toml").write_text(project, encoding="utf-8")
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", into],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    directory = Path(sys.argv[1]).resolve()
    build(service_project(), directory)
    build(sandbox_project(), directory)
