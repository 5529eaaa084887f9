"""`repo.merge`: moves a branch of origin to the fix that a person has approved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from autonomy.sdk import Context, Evidence, Permanent, Plan, Scope, Settled, VerifierContext, skill
from autonomy.sdk.evidence import check
from autonomy.verification import commit_of, ref_is
from steward.arguments import Branch, Commit, Origin, TestOutcome, head, refs_of
from steward.git import git, line, parents


class Merged(BaseModel):
    """Where the branch stood, and where it stands."""

    branch: str
    old: str
    commit: str


class Move(BaseModel):
    """What is asked for."""

    origin: Path
    branch: str
    base: str
    fix_branch: str
    commit: str
    tests: TestOutcome

    def refusal(self) -> str:
        """Why the branch must not be moved, or nothing."""
        now, offered = (commit_of(self.origin, head(b)) for b in (self.branch, self.fix_branch))
        if not self.tests.green:
            return f"the tests of the fix are not green: {self.tests.summary}"
        if now != self.base:
            return f"{self.branch} has moved to {now}; the fix was made for {self.base}"
        if offered != self.commit:
            return f"{self.fix_branch} points to {offered} and not to {self.commit}"
        if parents(self.origin, self.commit) != [self.base]:
            return f"{self.commit} does not follow {self.base} directly"
        return ""


@skill(
    name="repo.merge",
    owner="steward",
    tier=3,
    timeout="1m",
    estimate="2s",
    critical=True,
    scope=Scope(read=("{origin}",), write=("{origin}",)),
)
def merge(
    ctx: Context,
    origin: Origin,
    branch: Branch,
    base: Commit,
    fix_branch: Branch,
    commit: Commit,
    tests: TestOutcome,
) -> Merged:
    """Move a branch of origin from its base to the fix, and only from there."""
    wanted = Move(
        origin=Path(origin),
        branch=branch,
        base=base,
        fix_branch=fix_branch,
        commit=commit,
        tests=tests,
    )

    def move() -> dict[str, str]:
        if problem := wanted.refusal():
            raise Permanent(problem)
        git(wanted.origin, "update-ref", head(branch), commit, base)
        return {"old": base, "commit": commit}

    moved = ctx.effect("merge", move)
    ctx.say(f"{branch} is now {commit[:12]}")
    return Merged(branch=branch, **moved)


@merge.reads
def _(origin: str, branch: str, fix_branch: str, **_: Any) -> Mapping[str, str]:
    """The approval is bound to where both branches point."""
    return refs_of(origin, branch, fix_branch)


@merge.preflight
def _(ctx: Context, **args: Any) -> Plan:
    """Show the diff that a person is asked about."""
    move = Move(**args)
    if problem := move.refusal():
        return Plan(go=False, summary=problem)
    shape = ("-r", "-p", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-color")
    diff = git(move.origin, "diff-tree", *shape, move.base, move.commit)
    steps = f"{move.branch} from {move.base[:12]} to {move.commit[:12]}"
    return Plan(
        go=True,
        summary=f"moves {steps} ({move.fix_branch}); tests of the fix: {move.tests.summary}",
        diff=diff.decode("utf-8", "backslashreplace"),
    )


@merge.reconcile
def _(ctx: VerifierContext, step: str, args: dict[str, Any]) -> Settled:
    """It has happened when the branch stands on the fix, or has gone on from there."""
    origin, commit = Path(args["origin"]), args["commit"]
    now = commit_of(origin, head(args["branch"]))
    if now is None or line(origin, "merge-base", commit, now) != commit:
        return Settled(happened=False)
    return Settled(happened=True, result={"old": args["base"], "commit": commit})


@merge.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Merged) -> Evidence:
    """Look where origin's branch points now."""
    origin = Path(args["origin"])
    return Evidence.of(
        ref_is(origin, head(args["branch"]), args["commit"]),
        check("what it follows", expected=[args["base"]], seen=parents(origin, args["commit"])),
    )
