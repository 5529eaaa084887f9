"""Ruff on a checkout: it reads the files and runs none of them."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ruff  # type: ignore[import-untyped]

from autonomy.sdk import Permanent
from steward.git import shown

RULES = "E4,E7,E9,F"
"""Judged where a repository has no opinion of its own: mistakes, not taste."""
_SAID = 600


@dataclass(frozen=True)
class Finding:
    """Something the linter does not like."""

    rule: str
    path: str
    row: int
    message: str
    fixable: bool

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.row}: {self.rule} {shown(self.message)}"


def check(tree: Path, *, config: str, scratch: Path) -> list[Finding]:
    """Every finding in the tree; raises Permanent when the linter cannot read its configuration."""
    answers = scratch / "findings.jsonl"
    _ruff(tree, config, "--exit-zero", "--output-format=json-lines", f"--output-file={answers}")
    return sorted(_findings(answers, tree), key=lambda found: (found.path, found.row, found.rule))


def fix(tree: Path, *, config: str) -> None:
    """Apply the fixes the linter calls safe, and no others."""
    _ruff(tree, config, "--exit-zero", "--fix-only", "--no-unsafe-fixes")


def by_rule(findings: Sequence[Finding]) -> dict[str, int]:
    """How often each rule was broken."""
    return dict(sorted(Counter(found.rule for found in findings).items()))


def _ruff(tree: Path, config: str, *options: str) -> None:
    """Nothing above the tree is asked: no configuration, and no list of ignored files."""
    rules = [] if config else ["--isolated", f"--select={RULES}"]
    argv = [ruff.find_ruff_bin(), "check", "--quiet", "--no-cache", "--no-respect-gitignore"]
    try:
        ended = subprocess.run(  # noqa: S603 -- a list of words, never a shell
            [*argv, *rules, *options, "."],
            cwd=tree, capture_output=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
            env={"PATH": os.defpath, "HOME": "/nonexistent", "NO_COLOR": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Permanent("the linter did not end within 120 s") from None
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").strip()[-_SAID:]
        raise Permanent(f"the linter ended with {ended.returncode}: {said}")


def _findings(answers: Path, tree: Path) -> Iterator[Finding]:
    with answers.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found: dict[str, Any] = json.loads(line)
            yield Finding(
                rule=found.get("code") or "invalid-syntax",
                path=os.path.relpath(found["filename"], tree),
                row=(found.get("location") or {}).get("row", 0),
                message=found["message"],
                fixable=(found.get("fix") or {}).get("applicability") == "safe",
            )
