"""Asks public advisories about every locked package, and checks that the locks lock.

Exit code: 0 nothing is known against any package, 1 something is (or a lock does not hold),
3 some could not be asked about: no advisory source was reached, and nothing is known either way.
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
WORDS = {CLEAN: "nothing known", FOUND: "FOUND", UNKNOWN: "NOT CHECKED"}


@dataclass(frozen=True)
class Verdict:
    """What came of one check."""

    code: int
    text: str


def advisories_of_python(report: str) -> Verdict:
    """Read pip-audit's JSON; a package that it skipped is one that nobody asked about."""
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
        return Verdict(UNKNOWN, f"no advisories to be had for {skipped} of {len(packages)}")
    return Verdict(CLEAN, f"{len(packages)} packages")


def advisories_of_node(report: str) -> Verdict:
    """Read `npm audit --json`."""
    try:
        found = json.loads(report)
        known, total = found["vulnerabilities"], found["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError, TypeError):
        return Verdict(UNKNOWN, "npm reached no advisory source")
    if known:
        grave = (f"{name} ({each['severity']})" for name, each in sorted(known.items()))
        return Verdict(FOUND, "; ".join(grave))
    return Verdict(CLEAN, f"{total} packages")


def node_lock(lock: str) -> Verdict:
    """Tell whether each package of an npm lock is fixed by its hash."""
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
    """Run a tool and return what it printed; nothing where it is missing or hangs."""
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def python_lock(lock: Path) -> Verdict:
    """Let pip resolve a lock in the mode that wants a hash of everything; nothing is installed."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--require-hashes"]
    command += ["--disable-pip-version-check", "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Verdict(FOUND, done.stderr.strip()[-500:])
    return Verdict(CLEAN, "each requirement with its hashes")


def checks() -> Sequence[tuple[str, Verdict]]:
    """Do all of them."""
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    found = [(f"hashes of {lock.name}", python_lock(lock)) for lock in locks]
    lock_of_the_page = ROOT / "frontend" / "package-lock.json"
    found.append(("hashes of the page's packages", node_lock(lock_of_the_page.read_text())))
    asked = (TOOLS / "uv", "tool", "run", "--quiet", "pip-audit", "--require-hashes")
    asked += ("--disable-pip", "--progress-spinner=off", "--format=json", "-r")
    report = output(*asked, ROOT / "requirements" / "dev.txt")
    found.append(("advisories on Python packages", advisories_of_python(report)))
    report = output("npm", "audit", "--json", cwd=ROOT / "frontend")
    found.append(("advisories on the page's packages", advisories_of_node(report)))
    return found


def main() -> int:
    """Print each verdict; return the gravest one's code."""
    codes = set()
    for name, verdict in checks():
        codes.add(verdict.code)
        print(f"{WORDS[verdict.code]:14} {name}: {verdict.text}")
    return FOUND if FOUND in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
