"""Checks every locked package against public advisories, and every lock for its hashes.

Exit code: 0 no advisory, 1 an advisory or a lock without all its hashes, 3 some packages could not
be checked, because no advisory source was reached.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
CLEAN, FOUND, UNKNOWN = 0, 1, 3
LABELS = {CLEAN: "nothing known", FOUND: "FOUND", UNKNOWN: "NOT CHECKED"}


@dataclass(frozen=True)
class Verdict:
    """The result of one check."""

    code: int
    text: str


def advisories_of_python(report: str) -> Verdict:
    """Return the verdict of pip-audit's JSON report; a skipped package counts as not checked."""
    try:
        packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict(UNKNOWN, "pip-audit could not run, or reached no advisory source")
    known = [
        f"{each['name']} {each['version']}: {vulnerability['id']}"
        for each in packages
        for vulnerability in each.get("vulns", [])
    ]
    if known:
        return Verdict(FOUND, "; ".join(known))
    skipped = sum("skip_reason" in each for each in packages)
    if skipped or not packages:
        return Verdict(UNKNOWN, f"no advisory source for {skipped} of {len(packages)} packages")
    return Verdict(CLEAN, f"{len(packages)} packages")


def advisories_of_node(report: str) -> Verdict:
    """Return the verdict of the report of `npm audit --json`."""
    try:
        found = json.loads(report)
        known, total = found["vulnerabilities"], found["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError, TypeError):
        return Verdict(UNKNOWN, "npm reached no advisory source")
    if known:
        listed = (f"{name} ({each['severity']})" for name, each in sorted(known.items()))
        return Verdict(FOUND, "; ".join(listed))
    return Verdict(CLEAN, f"{total} packages")


def node_lock(lock: str) -> Verdict:
    """Return whether an npm lock has a hash for each package."""
    packages: dict[str, dict[str, Any]] = json.loads(lock)["packages"]
    loose = [
        name
        for name, each in packages.items()
        if name and not each.get("link", "integrity" in each)
    ]
    if loose:
        return Verdict(FOUND, f"without a hash: {', '.join(loose)}")
    return Verdict(CLEAN, f"{len(packages) - 1} packages, each with its hash")


def output(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a tool and return its output; an empty string if it is missing or times out."""
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def python_lock(lock: Path) -> Verdict:
    """Return whether pip accepts a lock with --require-hashes; nothing is installed."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--require-hashes"]
    command += ["--disable-pip-version-check", "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Verdict(FOUND, done.stderr.strip()[-500:])
    return Verdict(CLEAN, "each requirement with its hashes")


def checks() -> Sequence[tuple[str, Verdict]]:
    """Run all checks and return their names and verdicts."""
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    found = [(f"hashes of {lock.name}", python_lock(lock)) for lock in locks]
    page_lock = ROOT / "frontend" / "package-lock.json"
    found.append(("hashes of the page's packages", node_lock(page_lock.read_text())))
    command = (TOOLS / "uv", "tool", "run", "--quiet", "pip-audit", "--require-hashes")
    command += ("--disable-pip", "--progress-spinner=off", "--format=json", "-r")
    report = output(*command, ROOT / "requirements" / "dev.txt")
    found.append(("advisories on Python packages", advisories_of_python(report)))
    report = output("npm", "audit", "--json", cwd=ROOT / "frontend")
    found.append(("advisories on the page's packages", advisories_of_node(report)))
    return found


def main() -> int:
    """Print each verdict; return the code of the worst one."""
    codes = set()
    for name, verdict in checks():
        codes.add(verdict.code)
        print(f"{LABELS[verdict.code]:14} {name}: {verdict.text}")
    return FOUND if FOUND in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
