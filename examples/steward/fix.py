"""`repo.fix`: what a linter can mend safely, on a branch of its own."""

import tempfile
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from autonomy.sdk import Context, Evidence, Permanent, Plan, Scope, Settled, VerifierContext, skill
from autonomy.sdk.evidence import Verdict, check
from autonomy.verification import ref_is
from steward.arguments import Commit, Origin, TestOutcome, head
from steward.git import git, line, parents, shown
from steward.mending import MOST_CHARACTERS, TASK, mended, message, refusal


class Fixed(BaseModel):
    """The fix that was made."""

    branch: str
    commit: str
    base: str
    files: list[str]
    lines: int
    findings_before: int
    findings_after: int


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
    text = message(found, tests, ctx.task_id)
    commit = found.workspace.commit_change(found.change, text)
    branch = f"steward/fix-{ctx.nonce}"

    def push() -> dict[str, str]:
        found.workspace.hand_over(commit, branch)
        return {"branch": branch, "commit": commit}

    pushed = ctx.effect("push", push)
    ctx.say(f"{found.mends} findings mended on {pushed['branch']}")
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
    with tempfile.TemporaryDirectory() as scratch:
        found = mended(Path(origin), base, Path(scratch) / "fix")
    if problem := refusal(found):
        return Plan(go=False, summary=problem, diff=found.change.diff[:MOST_CHARACTERS])
    mends = (
        f"mends {found.mends} of {len(found.before)} findings in {len(found.change.paths)} files"
    )
    tested = f"the tests were green before: {tests.summary}"
    return Plan(go=True, summary=f"{mends}; {tested}", diff=found.change.diff)


@fix.reconcile
def _(ctx: VerifierContext, step: str, args: dict[str, Any]) -> Settled:
    """The push of an earlier attempt is known by the task that its commit names."""
    origin = Path(args["origin"])
    listed = git(origin, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/steward/")
    for row in listed.decode("utf-8", "replace").splitlines():
        commit, _, ref = row.partition(" ")
        if f"\n{TASK}: {ctx.task_id}" in line(origin, "log", "-1", "--format=%B", commit):
            branch = ref.removeprefix("refs/heads/")
            return Settled(happened=True, result={"branch": branch, "commit": commit})
    return Settled(happened=False)


@fix.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Fixed) -> Evidence:
    """Make the fix again from the base, and compare it with what stands in origin."""
    origin = Path(args["origin"])
    on_origin = ref_is(origin, head(result.branch), result.commit)
    if on_origin.verdict is not Verdict.VERIFIED:
        return Evidence.of(on_origin)
    with tempfile.TemporaryDirectory() as scratch:
        again = mended(origin, args["base"], Path(scratch) / "fix")
    return Evidence.of(
        on_origin,
        check("what the fix follows", expected=[args["base"]], seen=parents(origin, result.commit)),
        check("tree of base and safe fixes", expected=again.change.tree,
              seen=line(origin, "rev-parse", f"{result.commit}^{{tree}}")),
        check("findings before and after", expected=(result.findings_before, result.findings_after),
              seen=(len(again.before), len(again.after))),
        check("fewer findings", expected=True, seen=len(again.after) < len(again.before)),
    )  # fmt: skip


def _before(tests: TestOutcome) -> str:
    return "" if tests.green else f"the tests were not green before: {tests.summary}"
