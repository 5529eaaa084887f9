"""The imports point one way, and the domain is plain Python."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAIN = sorted(
    path for path in ROOT.glob("*/domain/**/*.py") if not path.is_relative_to(ROOT / ".venv")
)

# What plain values are made of. Nothing here reads a clock, a random number or the outside.
PLAIN = {
    "base64", "bisect", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions",
    "functools", "hashlib", "heapq", "hmac", "itertools", "json", "math", "operator", "re",
    "rfc8785", "string", "typing", "unicodedata", "urllib.parse", "uuid", "zoneinfo",
}  # fmt: skip
OURS = {"autonomy", "console", "connectors", "firewall", "heartbeats", "ledger"}
# Keys are made in one place: they hold the time and chance.
KEYS = "ledger/domain/ids.py"
# Names that would bring a clock, chance or the outside in through a plain module.
NOT_PLAIN = {
    "now", "utcnow", "today", "fromtimestamp", "uuid1", "uuid4", "uuid7",
    "open", "print", "input", "exec", "eval", "__import__", "breakpoint",
}  # fmt: skip


def test_every_import_contract_is_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")

    answer = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )

    assert answer.returncode == 0, answer.stdout


def test_there_is_domain_code_to_look_at() -> None:
    assert ROOT / "autonomy/domain/decide.py" in DOMAIN


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: str(path.relative_to(ROOT)))
def test_domain_code_imports_only_what_is_plain(path: Path) -> None:
    strange = set(_imported(ast.parse(path.read_text()))) - PLAIN - OURS

    assert strange == ({"uuid_utils"} if path == ROOT / KEYS else set())


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: str(path.relative_to(ROOT)))
def test_domain_code_calls_no_clock_no_chance_and_no_file(path: Path) -> None:
    called = set(_called(ast.parse(path.read_text()))) & NOT_PLAIN

    assert called == ({"uuid7"} if path == ROOT / KEYS else set())


def _imported(tree: ast.AST) -> Iterator[str]:
    for part in ast.walk(tree):
        if isinstance(part, ast.Import):
            yield from (_plain_name(alias.name) for alias in part.names)
        elif isinstance(part, ast.ImportFrom):
            yield _plain_name(str(part.module))


def _plain_name(module: str) -> str:
    """The package that counts; of some only a part is plain."""
    return module if module in PLAIN else module.partition(".")[0]


def _called(tree: ast.AST) -> Iterator[str]:
    for part in ast.walk(tree):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
            yield part.func.id
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            yield part.func.attr
