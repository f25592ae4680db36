"""Every statement that writes a binding goes where its events are written (R28)."""

import re
from pathlib import Path

import xero_service

SOURCES = Path(xero_service.__file__).parent
WRITES = re.compile(
    r"(?:\b(?:update|insert|delete)\(BindingRow\)"
    r"|\b(?:UPDATE|INSERT INTO|DELETE FROM) integration_tenant_bindings\b).*?(?=\n    \)|\"\"\")",
    re.DOTALL,
)
# What a statement writes where it need not go through `Bindings._change` or `Bindings.create`.
WITHOUT_EVENTS = {
    "store/binding_warnings.py": {"expiring_since", "missing_scopes"},  # adds events itself
}
TELLING = re.compile(r"\b(status|active_grant_id|external_tenant_name)=")


def test_no_other_statement_changes_a_status_a_grant_or_a_name() -> None:
    """R28: a new one would be a change without its event."""
    found = {
        str(path.relative_to(SOURCES)): WRITES.findall(path.read_text())
        for path in SOURCES.rglob("*.py")
    }
    writers = {name: statements for name, statements in found.items() if statements}

    assert set(writers) == {"store/bindings.py", *WITHOUT_EVENTS}
    for name in WITHOUT_EVENTS:
        assert [each for each in writers[name] if TELLING.search(each)] == []


def test_in_the_repository_of_bindings_one_statement_updates_and_one_inserts() -> None:
    """R28: both derive the events from the row before and after."""
    source = (SOURCES / "store" / "bindings.py").read_text()

    assert source.count("update(BindingRow)") == 1
    assert source.count("insert(BindingRow)") == 1
    assert source.count("change_events(") == 2
