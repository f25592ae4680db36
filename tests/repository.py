"""The repository's own text files, for tests that read them as text."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "tests/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_FOLDERS = [
    "src",
    "tests",
    "migrations",
    "demo",
    "bench",
    "deploy",
    ".ci",
    "frontend/src",
    "frontend/e2e",
]
_SINGLE = ["Makefile", "pyproject.toml", "Dockerfile", "docker-compose.yml", ".env.example"]
_SUFFIXES = {"", ".py", ".ts", ".tsx", ".mjs", ".css", ".conf", ".template", ".sh", ".txt", ".html"}
_LEFT_OUT = {"node_modules", "__pycache__", "dist"}


def sources() -> Iterator[Path]:
    """Yield all code, tests and configuration that is written by hand."""
    yield from (ROOT / name for name in _SINGLE)
    for folder in _FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in _SUFFIXES and not _LEFT_OUT & set(path.parts) and path.is_file():
                yield path


def label(path: Path) -> str:
    """Return the path from the root of the repository, for messages and test ids."""
    return path.relative_to(ROOT).as_posix()
