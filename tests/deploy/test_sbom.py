"""O4: `make sbom` names what is installed into the images and beside the wheel, nothing else."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom_script", ROOT / ".ci" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def purls(document: dict[str, Any]) -> list[str]:
    return [each["purl"] for each in document["components"]]


def test_there_is_a_bill_for_the_wheel_and_for_each_image(sbom: ModuleType) -> None:
    assert set(sbom.bills()) == {"wheel", "image-service", "image-web"}


@pytest.mark.parametrize("name", ["wheel", "image-service"])
def test_every_locked_package_of_the_service_is_named_with_its_version(
    sbom: ModuleType, name: str
) -> None:
    locked = (ROOT / "requirements" / "runtime.txt").read_text()
    lines = [line for line in locked.splitlines() if line[:1].isalnum()]

    named = [each for each in purls(sbom.bills()[name]) if each.startswith("pkg:pypi/")]

    assert len(named) == len(lines)
    for line in lines:
        package, _, rest = line.partition("==")
        version = rest.split()[0]
        assert f"pkg:pypi/{package.partition('[')[0].lower()}@{version}" in named


def test_what_only_tests_or_builds_the_page_is_not_named(sbom: ModuleType) -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    shipped = {
        path.rpartition("node_modules/")[2] for path, each in lock.items() if not each.get("dev")
    } - {""}

    named = {each["name"] for each in sbom.page_packages()}

    assert named == shipped
    assert "react" in named
    assert "vitest" not in named
    assert all(each["hashes"][0]["alg"] == "SHA-512" for each in sbom.page_packages())


def test_an_image_names_its_base_image_as_the_dockerfile_pins_it(sbom: ModuleType) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    for name, argument in (("image-service", "PYTHON"), ("image-web", "NGINX")):
        (base,) = [each for each in sbom.bills()[name]["components"] if each["type"] == "container"]
        assert f"ARG {argument}_IMAGE={base['name']}:{base['version']}\n" in dockerfile


def test_a_bill_is_the_same_each_time_and_consistent_in_itself(sbom: ModuleType) -> None:
    for name, document in sbom.bills().items():
        assert document == sbom.bills()[name]
        references = [each["bom-ref"] for each in document["components"]]
        assert len(references) == len(set(references))
        root, *others = document["dependencies"]
        assert root["dependsOn"] == [each["ref"] for each in others] == references
        assert document["specVersion"] == "1.6"
