"""What code and documents refer to exists in this repository: sections, rules, decisions, files.

A reference that leads nowhere fails here with its file.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository import DOCUMENTS, ROOT, label, sources
from xero_service.store.tables import Base

DOCS = ROOT / "docs"
CODE = ROOT / "src"
# Where a path in backticks may begin, besides the root of the repository.
BASES = [ROOT, CODE, CODE / "xero_service", ROOT / "frontend", ROOT / "frontend" / "src"]
FILE_TYPES = "py|md|mjs|tsx?|css|toml|ya?ml|txt|json|conf|template|sh|example"


SOURCES = list(sources())
NAMES = {path.name for path in SOURCES}


# Each text in one line, because a reference may be broken by the end of a line.
TEXTS = {
    path: re.sub(r"\s+(?:[#*]+ |// )?", " ", path.read_text()) for path in [*SOURCES, *DOCUMENTS]
}


def sections(document: str) -> set[str]:
    """Return the numbers of a document of facts: of headings, bold openings and list items."""
    found: set[str] = set()
    section = ""
    for line in (DOCS / document).read_text().splitlines():
        if heading := re.match(r"#+ (\d+(?:\.\d+)*)", line):
            section = heading[1]
            found.add(section)
        elif bold := re.match(r"\*\*(\d+\.\d+)\b", line):
            found.add(bold[1])
        elif item := re.match(r"(\d+)\. ", line):
            found.add(f"{section}.{item[1]}")
    return found


XERO_FACTS, CLERK_FACTS = sections("xero-facts.md"), sections("clerk-facts.md")
RULES = set(re.findall(r"^(\d+)\. \*\*", (DOCS / "design.md").read_text(), re.MULTILINE))
DECISIONS = {path.name[:4] for path in (DOCS / "decisions").glob("0*.md")}
REVISIONS = {path.name[:4] for path in (ROOT / "migrations/versions").glob("0*.py")}
REQUIREMENTS = set(re.findall(r"\b[A-Z]\d+b?\b", (DOCS / "requirements.md").read_text()))


KINDS: dict[str, tuple[str, str, set[str]]] = {
    "Xero facts": (
        r"(?<!Clerk )\bfacts (§[\d.]+(?:(?:,| and) §[\d.]+)*)",
        r"\d+(?:\.\d+)*",
        XERO_FACTS,
    ),
    "Clerk facts": (
        r"\bClerk facts (§[\d.]+(?:(?:,| and) §[\d.]+)*)",
        r"\d+(?:\.\d+)*",
        CLERK_FACTS,
    ),
    "rules": (r"\b[Rr]ules? (\d+(?:(?:,| and) \d+)*)\b", r"\d+", RULES),
    "decisions": (r"(?:\bADR |\b[Dd]ecision |\[)(0\d{3})\b", r"\d{4}", DECISIONS),
    "migrations": (r"\b[Mm]igrations? (0\d{3})\b", r"\d{4}", REVISIONS),
    "requirements": (r"\b(?<![%.\w-])([RS]\d{1,2}b?)\b(?!-)", r"\w+", REQUIREMENTS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_to_a_document_resolves(kind: str) -> None:
    reference, number, existing = KINDS[kind]
    assert existing
    dangling = [
        f"{label(path)}: {match[0]}"
        for path, text in TEXTS.items()
        for match in re.finditer(reference, text)
        for found in re.findall(number, match[1])
        if found not in existing
    ]
    assert dangling == []


# --- Paths, symbols and links in documents ----------------------------------------------------


PYTHON = "\n".join(path.read_text() for path in CODE.rglob("*.py"))
# Facts name files and issues of others; the guide names files of its reader.
OURS = [
    each
    for each in DOCUMENTS
    if each.name not in {"xero-facts.md", "clerk-facts.md", "from-your-service.md"}
]


def exists(path: str) -> bool:
    """Tell whether a path exists below a base, or a bare file name anywhere."""
    return path in NAMES or any(next(base.glob(path.rstrip("/")), None) for base in BASES)


def is_path(words: str) -> bool:
    """Tell a path of this repository from an address, a media type and a command."""
    if not re.fullmatch(r"[\w.*-]+(/[\w.*-]+)*/?", words):
        return False
    if re.search(rf"\.(?:{FILE_TYPES})$", words):
        return True
    return "/" in words and any((base / words.split("/")[0]).is_dir() for base in BASES)


def spans(document: Path) -> list[str]:
    """Return what stands in backticks, outside blocks of code."""
    prose = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    return [" ".join(words.split()) for words in re.findall(r"`([^`]+)`", prose)]


@pytest.mark.parametrize("document", OURS, ids=label)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    """What is gone is named without backticks."""
    assert [words for words in spans(document) if is_path(words) and not exists(words)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=label)
def test_every_symbol_named_behind_a_path_is_in_that_file(document: Path) -> None:
    """As in `store/database.py` (`background_transaction`)."""
    named = re.findall(r"`([\w./-]+\.py)`\s+\(((?:`\w+`(?:,\s+)?)+)\)", document.read_text())
    assert [
        f"{path}: {symbol}"
        for path, symbols in named
        for symbol in re.findall(r"\w+", symbols)
        if not any(
            (base / path).is_file() and re.search(rf"\b{symbol}\b", (base / path).read_text())
            for base in BASES
        )
    ] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=label)
def test_every_method_that_a_document_names_occurs_in_the_code(document: Path) -> None:
    """As in `Database.bare_connection`; the class may be a library's."""
    named = [
        re.fullmatch(r"([A-Z]\w+[a-z]\w*)\.([a-z_]\w+)(?:\(\))?", each) for each in spans(document)
    ]
    assert [
        match[0]
        for match in named
        if match and not all(re.search(rf"\b{name}\b", PYTHON) for name in match.groups())
    ] == []


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=label)
def test_every_link_leads_to_a_file_and_heading_of_the_repository(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        path, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        file = (document.parent / path).resolve() if path else document
        if (
            not file.exists()
            or not file.is_relative_to(ROOT)
            or (heading and heading not in anchors(file))
        ):
            broken.append(target)
    assert broken == []


def test_the_design_describes_each_table() -> None:
    _, _, data = (DOCS / "design.md").read_text().partition("\n## Data\n")
    described = re.findall(r"^\| `(\w+)` \|", data, re.MULTILINE)

    assert sorted(described) == sorted(Base.metadata.tables)


def test_the_design_shows_where_the_code_is() -> None:
    """Each folder and module of the service that the map names exists, and all of `services`."""
    _, _, code = (DOCS / "design.md").read_text().partition("src/xero_service/\n")
    tree = re.sub(r"\(\w+\)", "", code.partition("src/xero_sandbox/")[0])
    service = CODE / "xero_service"
    names = {path.stem for path in service.rglob("*") if path.name != "__init__.py"}
    rooms = re.findall(r"── (\w+)(?:/|\.py) +", tree)
    modules = re.findall(r"\w+(?= ·)|(?<=· )\w+", tree)

    assert [name for name in [*rooms, *modules] if name not in names] == []
    inside = {path.stem for path in (service / "services").rglob("[!_]*") if path.suffix != ".pyc"}
    assert inside - {*rooms, *modules} == set()


# --- What a reader of the repository alone could not look up -----------------------------------


OUTSIDE: dict[str, Callable[[str], object]] = {
    "a place on one machine": re.compile(r"\.\./shared|(?<![\w.}])/(?:home|root|Users)/").search,
    "a document that is not here": re.compile(
        r"\b(?:architecture|faults|reliability)\.md\b"
    ).search,
    "a number of a tracker": re.compile(
        r"\b(?:this|earlier|later|next) issue\b|\b[Ii]ssue #?\d"
    ).search,
    "a review": re.compile(r"\bthe (?:cold )?review\b").search,
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_no_reference_leads_out_of_the_repository(kind: str) -> None:
    others = {Path(__file__), *DOCUMENTS} - set(OURS)
    found = [
        label(path) for path, text in TEXTS.items() if path not in others and OUTSIDE[kind](text)
    ]
    assert found == []
