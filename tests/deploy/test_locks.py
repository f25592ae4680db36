"""What is installed is fixed to the byte, and the lock files name no place to get it from."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
NODE_LOCKS = [
    ROOT / folder / "package-lock.json" for folder in ("frontend", Path("tests") / "sdks" / "node")
]
NAME = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9,._-]+\])?==([^\s;\\]+)", re.MULTILINE)


def test_there_is_a_lock_for_running_for_developing_for_building_and_for_the_installer() -> None:
    assert [lock.stem for lock in LOCKS] == ["build", "dev", "runtime", "uv"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_requirement_has_one_version_and_its_hashes(lock: Path) -> None:
    requirements = re.split(r"\n(?=[a-z0-9])", lock.read_text().split("\n", 2)[2])

    assert requirements
    for requirement in requirements:
        assert NAME.match(requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_what_is_tested_is_what_is_shipped(lock: Path) -> None:
    developed = dict(NAME.findall((ROOT / "requirements" / "dev.txt").read_text()))

    for name, version in NAME.findall(lock.read_text()):
        assert developed[name] == version


@pytest.mark.parametrize(
    "lock", [*LOCKS, *NODE_LOCKS], ids=lambda lock: f"{lock.parent.name}/{lock.name}"
)
def test_no_lock_names_an_address(lock: Path) -> None:
    addresses = re.findall(r"\b(?:https?|file)://[^\s\"']+", lock.read_text())

    assert [address for address in addresses if not is_funding(lock, address)] == []


def is_funding(lock: Path, address: str) -> bool:
    """Whether an address says where to thank a package's authors, not where to get it."""
    if lock.suffix != ".json":
        return False
    packages = json.loads(lock.read_text())["packages"].values()
    return any(address in json.dumps(package.get("funding", "")) for package in packages)
