"""`repo.test`: the tests of a commit, run in a cage."""

import shutil
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from autonomy.sdk import Context, Evidence, Permanent, Scope, VerifierContext, skill
from autonomy.sdk.evidence import check
from autonomy.verification import file_is, junit_is_of, read_junit, sha256_of
from autonomy.verification.junit import BadReport
from steward import environment, testrun
from steward.arguments import Commit, Origin, TestOutcome
from steward.declared import Snapshot
from steward.git import commit_id, shown
from steward.workspace import check_out, drop_links_out

_ROOM = 1_000_000
"""Bytes; with less, a report cannot have been written whole."""


class Tested(BaseModel):
    """How the tests of a commit ended."""

    commit: str
    outcome: TestOutcome
    passed: int
    failed: int
    errors: int
    skipped: int
    failing: list[str]
    exit_code: int
    seconds: float
    junit_sha256: str
    last_words: str

    def counts(self) -> dict[str, int]:
        """Cases by how they ended."""
        return self.model_dump(include={"passed", "failed", "errors", "skipped"})


@skill(
    name="repo.test", owner="steward", tier=1, timeout="5m", memory="1GB", disk="2GB",
    output="2MB", processes=128, retries=2, estimate="20s", foreign_code=True,
    scope=Scope(read=("{origin}",), loopback=True),
)  # fmt: skip
def test(ctx: Context, origin: Origin, commit: Commit) -> Tested:
    """Run the tests of a commit without a network, and keep their report."""
    snapshot = Snapshot(Path(origin), commit)
    plan = snapshot.test_plan()
    if plan is None or not snapshot.steward.test:
        raise Permanent("the repository has no tests that may be run")
    workspace = check_out(Path(origin), commit, ctx.folder / "checkout", links=True)
    for name in drop_links_out(workspace.tree):
        ctx.say(f"left out, for it leads out of the repository: {shown(name)}")
    python = environment.unpack(_packed(ctx), ctx.folder / "environment")
    testrun.pretend_installed(snapshot.pyproject, ctx.folder / "environment")
    cage = testrun.Cage(
        commit=commit,
        tree=workspace.tree,
        folder=ctx.folder,
        python=python,
        report=ctx.artifacts / testrun.REPORT,
    )
    started = time.monotonic()
    ended = testrun.run(plan, cage)
    return _told(ctx, commit, ended, cage.report, time.monotonic() - started)


def _packed(ctx: Context) -> Path:
    """The environment that an earlier task has left."""
    prepared = ctx.upstream.get("prepare")
    if prepared is None or environment.NAME not in prepared.artifacts:
        raise Permanent("there is no environment; let it depend on a task `prepare`: repo.prepare")
    return prepared.artifacts[environment.NAME]


def _told(ctx: Context, commit: str, ended: testrun.Run, report: Path, seconds: float) -> Tested:
    try:
        said = read_junit(report)
    except (BadReport, OSError) as error:
        full = shutil.disk_usage(report.parent).free < _ROOM
        why = "the disk is full" if full else str(error)
        raise Permanent(f"the report of the tests cannot be read: {why}") from None
    print(ended.output)  # noqa: T201 -- a session's output is kept and shown
    counted = ", ".join(f"{count} {name}" for name, count in said.counts().items() if count)
    green = ended.exit_code == 0 and said.passed > 0 and not (said.failed or said.errors)
    outcome = TestOutcome(green=green, summary=counted or "no test was found")
    ctx.say(outcome.summary)
    return Tested(
        commit=commit,
        outcome=outcome,
        **said.counts(),
        failing=[shown(name) for name in said.failing],
        exit_code=ended.exit_code,
        seconds=round(seconds, 2),
        junit_sha256=sha256_of(report),
        last_words=ended.output.strip().rpartition("\n")[2][-300:],
    )


@test.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Tested) -> Evidence:
    """Read the kept report: of this commit, of this attempt, with these bytes and these counts."""
    report = ctx.artifacts[testrun.REPORT]
    origin = Path(args["origin"])
    return Evidence.of(
        file_is(report, sha256=result.junit_sha256),
        *junit_is_of(report, suite=args["commit"], since=ctx.started_at, counts=result.counts()),
        check("commit in origin", expected=result.commit, seen=commit_id(origin, args["commit"])),
    )
