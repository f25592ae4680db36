"""`make audit` never says that all is well where it could not ask."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "audit.py"


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


SAFE = {"name": "a", "version": "1", "vulns": []}
UNSAFE = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1"}]}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("packages", "code"),
    [([SAFE], 0), ([SAFE, UNSAFE], 1), ([SKIPPED, UNSAFE], 1), ([SAFE, SKIPPED], 3), ([], 3)],
)
def test_a_python_package_that_was_skipped_is_not_called_safe(
    audit: ModuleType, packages: list[dict[str, object]], code: int
) -> None:
    verdict = audit.advisories_of_python(json.dumps({"dependencies": packages}))

    assert verdict.code == code
    assert ("PYSEC-1" in verdict.text) is (code == 1)


@pytest.mark.parametrize("report", ["", "not JSON", "{}", "[]", '{"message": "405"}'])
def test_an_answer_that_is_none_is_not_called_safe(audit: ModuleType, report: str) -> None:
    assert audit.advisories_of_python(report).code == 3
    assert audit.advisories_of_node(report).code == 3


def test_node_packages_are_judged_by_what_npm_found(audit: ModuleType) -> None:
    counted = {"dependencies": {"total": 7}}
    safe = {"vulnerabilities": {}, "metadata": counted}
    unsafe = {"vulnerabilities": {"x": {"severity": "high"}}, "metadata": counted}

    assert audit.advisories_of_node(json.dumps(safe)).code == 0
    assert audit.advisories_of_node(json.dumps(unsafe)).code == 1


def test_a_node_package_without_a_hash_is_found(audit: ModuleType) -> None:
    lock = {"packages": {"": {}, "node_modules/x": {"integrity": "sha512-x"}}}
    loose = {"packages": {"": {}, "node_modules/x": {"version": "1"}}}

    assert audit.node_lock(json.dumps(lock)).code == 0
    assert audit.node_lock(json.dumps(loose)).code == 1
