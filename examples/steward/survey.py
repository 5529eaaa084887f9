"""`repo.survey`: finds out what can be checked, and asks for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from autonomy.sdk import Context, Evidence, Scope, Submission, VerifierContext, skill
from autonomy.sdk.evidence import check
from autonomy.verification import rows_are
from steward.arguments import Branch, Commit, Origin
from steward.declared import Snapshot, TestPlan
from steward.git import commit_id, shown
from steward.linter import RULES


class Surveyed(BaseModel):
    """What can be checked, and the tasks that will."""

    commit: str
    files: int
    python_files: int
    rules: str
    """The file that configures the linter, or the rules asked without one."""
    tests: TestPlan | None
    why_no_fix: str
    submitted: dict[str, str]


@skill(
    name="repo.survey", owner="steward", tier=1, timeout="1m", memory="1GB",
    estimate="3s", scope=Scope(read=("{origin}",)),
)  # fmt: skip
def survey(ctx: Context, origin: Origin, branch: Branch, commit: Commit) -> Surveyed:
    """Find out what can be checked in a commit, and ask for those checks, a fix and its merge."""
    snapshot = Snapshot(Path(origin), commit)
    plan, why_no_tests = _tests(snapshot)
    why_no_fix = why_no_tests or ("" if snapshot.steward.fix else "the steward file allows none")
    submissions = list(
        _submissions(ctx, origin, branch, commit, tests=bool(plan), why_no_fix=why_no_fix)
    )
    ids = ctx.submit(submissions)
    ctx.say(f"{snapshot.python_files} Python files; asked for {', '.join(ids)}")
    return Surveyed(
        commit=commit,
        files=len(snapshot.files),
        python_files=snapshot.python_files,
        rules=snapshot.lint_config or RULES,
        tests=plan,
        why_no_fix=why_no_fix,
        submitted={key: str(task) for key, task in ids.items()},
    )


def _tests(snapshot: Snapshot) -> tuple[TestPlan | None, str]:
    """How to run the tests, or why they are not run; a plan's names are shown, not obeyed."""
    if not snapshot.steward.test:
        return None, "the steward file says that no tests are to be run"
    plan = snapshot.test_plan()
    if plan is None:
        return None, "there are no tests to show that a fix does no harm"
    if unsupported := snapshot.unsupported_python():
        return None, f"the tests cannot be run: {unsupported}"
    return plan.model_copy(update={"paths": tuple(map(shown, plan.paths))}), ""


def _submissions(
    ctx: Context, origin: str, branch: str, commit: str, *, tests: bool, why_no_fix: str
) -> Iterator[Submission]:
    at = {"origin": origin, "commit": commit}
    checks = ["lint", "metrics", *(["prepare", "test"] if tests else [])]
    yield Submission("lint", "repo.lint", at)
    yield Submission("metrics", "repo.metrics", at)
    if tests:
        yield Submission("prepare", "repo.prepare", at)
        yield Submission("test", "repo.test", at, depends_on=("prepare",))
    if not why_no_fix:
        checks += ["fix", "test_fix"]
        yield from _fix(ctx, origin, commit)
    yield Submission("report", "repo.report", {**at, "branch": branch, "why_no_fix": why_no_fix},
                     depends_on=checks, always_run=True)  # fmt: skip
    if not why_no_fix:
        yield _merge(ctx, origin, branch, commit)


def _fix(ctx: Context, origin: str, commit: str) -> Iterator[Submission]:
    """The fix, and the tests of the fix in the environment of those before."""
    tests, fixed = ctx.result_of("test", "outcome"), ctx.result_of("fix", "commit")
    mend = {"origin": origin, "base": commit, "tests": tests}
    yield Submission("fix", "repo.fix", mend, depends_on=("lint", "test"))
    again = {"origin": origin, "commit": fixed}
    yield Submission("test_fix", "repo.test", again, depends_on=("prepare", "fix"))


def _merge(ctx: Context, origin: str, branch: str, commit: str) -> Submission:
    args = {
        "origin": origin,
        "branch": branch,
        "base": commit,
        "fix_branch": ctx.result_of("fix", "branch"),
        "commit": ctx.result_of("fix", "commit"),
        "tests": ctx.result_of("test_fix", "outcome"),
    }
    return Submission("merge", "repo.merge", args, depends_on=("fix", "test_fix", "report"))


@survey.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Surveyed) -> Evidence:
    """The tasks it says it asked for are in the queue, under its name."""
    origin = Path(args["origin"])
    return Evidence.of(
        check("commit in origin", expected=result.commit, seen=commit_id(origin, args["commit"])),
        rows_are(
            "tasks of this survey",
            ctx.query,
            "select key, id::text as id from tasks_task where parent_id = %s",
            [str(ctx.task_id)],
            expected=[{"key": key, "id": task} for key, task in result.submitted.items()],
        ),
    )
