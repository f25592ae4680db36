"""Writes a CycloneDX bill of materials for the wheel and both images, from the lock files.

    sbom.py [DIRECTORY]     default: dist/sbom

What is installed comes from requirements/runtime.txt and frontend/package-lock.json, by hash, so
the locks say it exactly. An image adds its base image, which publishes a bill of its own.
"""

import base64
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Component = dict[str, Any]
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_BASE = re.compile(r"^ARG (\w+)_IMAGE=(\S+):(\S+)$", re.MULTILINE)


def python_packages() -> list[Component]:
    """Return what `pip` installs into the image, and beside the wheel."""
    locked = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    return [_component("pypi", name.lower(), version) for name, version in _LOCKED.findall(locked)]


def page_packages() -> list[Component]:
    """Return the packages that the built page may contain: none that only builds or tests it."""
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))
    found = {}
    for path, entry in lock["packages"].items():
        if not path or entry.get("dev") or entry.get("link") or "version" not in entry:
            continue
        name = entry.get("name", path.rpartition("node_modules/")[2])
        component = _component("npm", name, entry["version"])
        if integrity := entry.get("integrity"):
            algorithm, _, value = integrity.partition("-")
            content = base64.b64decode(value).hex()
            component["hashes"] = [
                {"alg": algorithm.upper().replace("SHA", "SHA-"), "content": content}
            ]
        found[component["bom-ref"]] = component
    return list(found.values())


def base_image(name: str) -> Component:
    """Return a base image of the Dockerfile."""
    images = {
        key: (image, tag) for key, image, tag in _BASE.findall((ROOT / "Dockerfile").read_text())
    }
    image, tag = images[name]
    return {**_component("docker", image, tag), "type": "container"}


def bill(name: str, kind: str, components: Iterable[Component]) -> dict[str, Any]:
    """Return the bill of one product; the same locks give the same bill."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = sorted(components, key=lambda each: each["bom-ref"])
    refs = [each["bom-ref"] for each in listed]
    identity = f"{name} {project['version']} {' '.join(refs)}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, identity)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": kind,
                "bom-ref": name,
                "name": name,
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": listed,
        "dependencies": [{"ref": name, "dependsOn": refs}, *({"ref": each} for each in refs)],
    }


def bills() -> dict[str, dict[str, Any]]:
    """Return the bill of each product, by the name of its file."""
    python, page = python_packages(), page_packages()
    return {
        "wheel": bill("xero-service", "library", python),
        "image-service": bill(
            "xero-service-image", "container", [base_image("PYTHON"), *python, *page]
        ),
        "image-web": bill("xero-service-web-image", "container", [base_image("NGINX"), *page]),
    }


def _component(kind: str, name: str, version: str) -> Component:
    purl = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def main() -> None:
    """Write the bills."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "sbom"
    directory.mkdir(parents=True, exist_ok=True)
    for name, document in bills().items():
        path = directory / f"{name}.cdx.json"
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        print(f"{path}: {len(document['components'])} components")


if __name__ == "__main__":
    main()
