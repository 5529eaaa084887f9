"""`repo.lint`: what the linter says of a commit."""

import json
import tempfile
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from autonomy.sdk import Context, Evidence, Scope, VerifierContext, skill
from autonomy.sdk.evidence import check
from steward import linter
from steward.arguments import Commit, Origin
from steward.declared import Snapshot
from steward.workspace import check_out

REPORT = "findings.jsonl"
_KEPT = 10_000
_NAMED = 20


class Linted(BaseModel):
    """What the linter said."""

    commit: str
    findings: int
    fixable: int
    by_rule: dict[str, int]
    files: int
    rules: str
    first: list[str]


def linted(origin: Path, commit: str, folder: Path) -> tuple[list[linter.Finding], str]:
    """Check a commit out into an empty folder and lint it; returns also whose rules were asked."""
    config = Snapshot(origin, commit).lint_config
    workspace = check_out(origin, commit, folder)
    return linter.check(workspace.tree, config=config, scratch=folder), config or linter.RULES


@skill(
    name="repo.lint", owner="steward", tier=1, timeout="3m", memory="1GB", disk="1GB",
    estimate="5s", scope=Scope(read=("{origin}",)),
)  # fmt: skip
def lint(ctx: Context, origin: Origin, commit: Commit) -> Linted:
    """Say what a linter dislikes in a commit, and how much of it can be mended safely."""
    found, rules = linted(Path(origin), commit, ctx.folder / "lint")
    with (ctx.artifacts / REPORT).open("w") as report:
        for item in found[:_KEPT]:
            report.write(json.dumps({**vars(item), "text": str(item)}) + "\n")
    ctx.say(f"{len(found)} findings by the rules of {rules}")
    return Linted(
        commit=commit,
        findings=len(found),
        fixable=sum(item.fixable for item in found),
        by_rule=linter.by_rule(found),
        files=len({item.path for item in found}),
        rules=rules,
        first=[str(item)[:300] for item in found[:_NAMED]],
    )


@lint.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Linted) -> Evidence:
    """Lint the commit again, in another process and another checkout."""
    with tempfile.TemporaryDirectory() as scratch:
        found, rules = linted(Path(args["origin"]), args["commit"], Path(scratch) / "lint")
    seen, fixable = linter.by_rule(found), sum(item.fixable for item in found)
    return Evidence.of(
        check(f"findings in {args['commit'][:12]}", expected=result.by_rule, seen=seen),
        check("safe fixes among them", expected=result.fixable, seen=fixable),
        check("rules", expected=result.rules, seen=rules),
    )
