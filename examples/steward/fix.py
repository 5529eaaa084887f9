"""`repo.fix`: what a linter can mend safely, on a branch of its own."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from autonomy.sdk import Context, Evidence, Permanent, Plan, Scope, Settled, VerifierContext, skill
from autonomy.sdk.evidence import Verdict, check
from autonomy.verification import ref_is
from steward import linter
from steward.arguments import Commit, Origin, TestOutcome, head
from steward.declared import Snapshot
from steward.git import git, line, parents, shown
from steward.steward_file import StewardFile
from steward.workspace import Change, Workspace, check_out

MOST_LINES = 2_000
MOST_CHARACTERS = 200_000
_TASK = "Steward-Task"


class Fixed(BaseModel):
    """The fix that was made."""

    branch: str
    commit: str
    base: str
    files: list[str]
    lines: int
    findings_before: int
    findings_after: int


@dataclass(frozen=True)
class Mended:
    """A checkout after the linter's safe fixes."""

    workspace: Workspace
    change: Change
    rules: StewardFile
    before: list[linter.Finding]
    after: list[linter.Finding]


def mended(origin: Path, base: str, folder: Path) -> Mended:
    """Check out a commit and apply the safe fixes; origin is only read."""
    snapshot = Snapshot(origin, base)
    workspace = check_out(origin, base, folder)
    config, tree = snapshot.lint_config, workspace.tree
    before = linter.check(tree, config=config, scratch=folder)
    linter.fix(tree, config=config)
    after = linter.check(tree, config=config, scratch=folder)
    return Mended(workspace, workspace.change(), snapshot.steward, before, after)


def refusal(found: Mended) -> str:
    """Why the change must not be made, or nothing."""
    change = found.change
    if not found.rules.fix:
        return "the steward file allows no fix"
    if not change.paths or len(found.after) >= len(found.before):
        return "nothing to mend: the linter has no safe fix"
    outside = [path for path in change.paths if not found.rules.may_change(path)]
    if outside:
        return f"the change leaves its scope: {', '.join(map(shown, outside[:5]))}"
    if change.lines > MOST_LINES or len(change.diff) > MOST_CHARACTERS:
        return f"the change of {change.lines} lines is more than a person can be asked to read"
    return ""


@skill(
    name="repo.fix", owner="steward", tier=2, timeout="3m", memory="1GB", disk="1GB",
    estimate="10s",
    scope=Scope(read=("{origin}",), write=("{origin}/objects", "{origin}/refs/heads/steward")),
)  # fmt: skip
def fix(ctx: Context, origin: Origin, base: Commit, tests: TestOutcome) -> Fixed:
    """Put the linter's safe fixes of a commit on a branch of their own."""
    found = mended(Path(origin), base, ctx.folder / "fix")
    if problem := _before(tests) or refusal(found):
        raise Permanent(problem)
    commit = found.workspace.commit_change(found.change, _message(found, tests, ctx))
    branch = f"steward/fix-{ctx.nonce}"

    def push() -> dict[str, str]:
        found.workspace.hand_over(commit, branch)
        return {"branch": branch, "commit": commit}

    pushed = ctx.effect("push", push)
    ctx.say(f"{len(found.before) - len(found.after)} findings mended on {pushed['branch']}")
    return Fixed(
        **pushed,
        base=base,
        files=[shown(path) for path in found.change.paths],
        lines=found.change.lines,
        findings_before=len(found.before),
        findings_after=len(found.after),
    )


@fix.preflight
def _(ctx: Context, origin: str, base: str, tests: TestOutcome) -> Plan:
    """Show the diff; refuse without green tests before, or a change that may be made."""
    if problem := _before(tests):
        return Plan(go=False, summary=problem)
    found = mended(Path(origin), base, ctx.folder / "fix")
    if problem := refusal(found):
        return Plan(go=False, summary=problem, diff=found.change.diff[:MOST_CHARACTERS])
    mends = f"{len(found.before) - len(found.after)} of {len(found.before)} findings"
    where = f"{len(found.change.paths)} files"
    return Plan(
        go=True,
        summary=f"mends {mends} in {where}; the tests were green before: {tests.summary}",
        diff=found.change.diff,
    )


@fix.reconcile
def _(ctx: VerifierContext, step: str, args: dict[str, Any]) -> Settled:
    """The push of an earlier attempt is known by the task that its commit names."""
    origin = Path(args["origin"])
    listed = git(origin, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/steward/")
    for row in listed.decode("utf-8", "replace").splitlines():
        commit, _, ref = row.partition(" ")
        if f"\n{_TASK}: {ctx.task_id}" in line(origin, "log", "-1", "--format=%B", commit):
            branch = ref.removeprefix("refs/heads/")
            return Settled(happened=True, result={"branch": branch, "commit": commit})
    return Settled(happened=False)


@fix.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Any) -> Evidence:
    """Make the fix again from the base, and compare it with what stands in origin."""
    said, origin = Fixed.model_validate(result), Path(args["origin"])
    on_origin = ref_is(origin, head(said.branch), said.commit)
    if on_origin.verdict is not Verdict.VERIFIED:
        return Evidence.of(on_origin)
    with tempfile.TemporaryDirectory() as scratch:
        again = mended(origin, args["base"], Path(scratch) / "fix")
    return Evidence.of(
        on_origin,
        check("what the fix follows", expected=[args["base"]], seen=parents(origin, said.commit)),
        check("tree of base and safe fixes", expected=again.change.tree,
              seen=line(origin, "rev-parse", f"{said.commit}^{{tree}}")),
        check("findings before and after", expected=(said.findings_before, said.findings_after),
              seen=(len(again.before), len(again.after))),
        check("fewer findings", expected=True, seen=len(again.after) < len(again.before)),
    )  # fmt: skip


def _before(tests: TestOutcome) -> str:
    return "" if tests.green else f"the tests were not green before: {tests.summary}"


def _message(found: Mended, tests: TestOutcome, ctx: Context) -> str:
    rules = ", ".join(linter.by_rule([f for f in found.before if f.fixable]))
    return (
        f"Apply the linter's safe fixes ({rules})\n\n"
        f"{len(found.before)} findings before, {len(found.after)} after.\n"
        f"The tests were green before: {tests.summary}.\n\n"
        f"{_TASK}: {ctx.task_id}\n"
    )
