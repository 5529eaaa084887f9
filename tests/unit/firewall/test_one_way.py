"""There is one way to decide: nothing outside the firewall's services writes a decision (F-4)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("config", "console", "heartbeats", "autonomy", "connectors", "firewall", "ledger")
WRITERS = {"firewall/services/asking.py", "firewall/services/deciding.py"}
COLUMNS = {"decision", "decided_by", "decided_by_id"}
WRITING_CALLS = {"update", "create", "get_or_create", "update_or_create", "Approval"}
WRITING_SQL = re.compile(
    r"INSERT\s+INTO\s+firewall_approval"
    r"|UPDATE\s+firewall_approval\b(\s+AS)?(\s+\w+)?\s+SET\s+((?!\b(WHERE|FROM)\b).)*\bdecision\b",
    re.IGNORECASE | re.DOTALL,
)


def _writes(source: str) -> Iterator[int]:
    """The lines that write a decision."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), keywords=keywords):
                if name in WRITING_CALLS and COLUMNS & {keyword.arg for keyword in keywords}:
                    yield node.lineno
            case ast.Attribute(value=ast.Name(id=owner), attr=name, ctx=ast.Store()):
                if name in COLUMNS and owner != "self":
                    yield node.lineno
            case ast.Constant(value=str(text)) if WRITING_SQL.search(text):
                yield node.lineno


@pytest.mark.parametrize("package", PACKAGES)
def test_only_the_services_of_the_firewall_write_decisions(package: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts and str(path.relative_to(ROOT)) not in WRITERS
        for line in _writes(path.read_text())
    }

    assert not found


@pytest.mark.parametrize(
    "source",
    [
        'Approval.objects.filter(pk=pk).update(decision="approved")',
        'Approval(decision="approved").save()',
        "approval.decided_by = person",
        "run('INSERT INTO firewall_approval (id) VALUES (1)')",
        "run('''UPDATE firewall_approval a SET comment = '',\n decision = 'x' WHERE true''')",
    ],
)
def test_another_way_would_be_noticed(source: str) -> None:
    assert list(_writes(source))
