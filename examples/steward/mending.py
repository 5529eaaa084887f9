"""A checkout with the linter's safe fixes applied, and whether that may be offered."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from steward import linter
from steward.arguments import TestOutcome
from steward.declared import Snapshot
from steward.git import shown
from steward.steward_file import StewardFile
from steward.workspace import Change, Workspace, check_out

MOST_LINES = 2_000
MOST_CHARACTERS = 200_000
TASK = "Steward-Task"


@dataclass(frozen=True)
class Mended:
    """A checkout after the linter's safe fixes."""

    workspace: Workspace
    change: Change
    rules: StewardFile
    before: list[linter.Finding]
    after: list[linter.Finding]

    @property
    def mends(self) -> int:
        """How many findings are gone."""
        return len(self.before) - len(self.after)


def mended(origin: Path, base: str, folder: Path) -> Mended:
    """Check a commit out into a folder and apply the safe fixes; origin is only read."""
    snapshot = Snapshot(origin, base)
    workspace = check_out(origin, base, folder)
    config, tree = snapshot.lint_config, workspace.tree
    before = linter.check(tree, config=config, scratch=folder)
    linter.fix(tree, config=config)
    after = linter.check(tree, config=config, scratch=folder)
    return Mended(workspace, workspace.change(), snapshot.steward, before, after)


def refusal(found: Mended) -> str:
    """Why the change must not be offered, or nothing."""
    change = found.change
    if not found.rules.fix:
        return "the steward file allows no fix"
    if not change.paths or found.mends <= 0:
        return "nothing to mend: the linter has no safe fix"
    outside = [path for path in change.paths if not found.rules.may_change(path)]
    if outside:
        return f"the change leaves its scope: {', '.join(map(shown, outside[:5]))}"
    if change.lines > MOST_LINES or len(change.diff) > MOST_CHARACTERS:
        return f"the change of {change.lines} lines is more than a person can be asked to read"
    return ""


def message(found: Mended, tests: TestOutcome, task: UUID) -> str:
    """What the commit says; its last line tells which task made it."""
    rules = ", ".join(linter.by_rule([f for f in found.before if f.fixable]))
    return (
        f"Apply the linter's safe fixes ({rules})\n\n"
        f"{len(found.before)} findings before, {len(found.after)} after.\n"
        f"The tests were green before: {tests.summary}.\n\n"
        f"{TASK}: {task}\n"
    )
