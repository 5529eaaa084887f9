"""`repo.report`: what was found and done, for a person to read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from autonomy.sdk import Context, Evidence, Scope, VerifierContext, skill
from autonomy.sdk.context import Upstream
from autonomy.sdk.evidence import check
from autonomy.verification import file_is, file_is_fresh, sha256_of
from autonomy.verification.files import open_file
from steward.arguments import Branch, Commit, Origin
from steward.wording import SENTENCES, row_of, said_of, written

REPORT = "report.md"


class Reported(BaseModel):
    """The report that was kept."""

    commit: str
    sha256: str
    why_no_fix: str
    """Empty when a fix is offered."""


@skill(
    name="repo.report", owner="steward", tier=1, timeout="1m", estimate="2s",
    scope=Scope(read=("{origin}",)),
)  # fmt: skip
def report(
    ctx: Context, origin: Origin, branch: Branch, commit: Commit, why_no_fix: str
) -> Reported:
    """Write down what was found and done, and why no fix is offered where none is."""
    reason = why_no_fix or _why_no_fix(ctx.upstream)
    text = written(Path(origin).name, branch, commit, ctx.upstream, reason)
    (ctx.artifacts / REPORT).write_text(text, "utf-8")
    ctx.say(f"no fix is offered: {reason}" if reason else "a fix is offered")
    return Reported(commit=commit, sha256=sha256_of(ctx.artifacts / REPORT), why_no_fix=reason)


def _why_no_fix(upstream: Mapping[str, Upstream]) -> str:
    """The first thing that stood in the way of a tested fix, or nothing."""
    for key in ("prepare", "test", "lint", "fix", "test_fix"):
        task = upstream.get(key)
        if task is not None and task.state != "done":
            return f"{task.skill} ended {task.state}: {task.reason or 'no reason was given'}"
    if "test_fix" not in upstream:
        return "none was asked for"
    outcome = upstream["test_fix"].result["outcome"]
    return "" if outcome["green"] else f"the tests of the fix are not green: {outcome['summary']}"


@report.verify
def _(ctx: VerifierContext, args: dict[str, Any], result: Reported) -> Evidence:
    """Compare the kept report with the ledger: every task and every number must be named in it."""
    path = ctx.artifacts[REPORT]
    with open_file(path) as file:
        text = file.read().decode()
    tasks = {task.task_id: key for key, task in ctx.upstream.items()}
    ids = [str(task) for task in tasks]
    ended = ctx.query(
        "select task_id, skill, state, verdict from ledger_outcome where task_id = any(%s::uuid[])",
        [ids],
    )
    results = ctx.query(
        "select id, skill, result from tasks_task where id = any(%s::uuid[]) and state = 'done'",
        [ids],
    )
    rows = [row_of(r["skill"], r["state"], r["verdict"], r["task_id"]) for r in ended]
    said_there = [said_of(r["skill"], r["result"]) for r in results if r["skill"] in SENTENCES]
    return Evidence.of(
        file_is(path, sha256=result.sha256),
        file_is_fresh(path, since=ctx.started_at),
        check("outcomes in the ledger", expected=len(ids), seen=len(rows)),
        check(
            "outcomes that the report does not name",
            expected=[],
            seen=[r for r in rows if r not in text],
        ),
        check(
            "results that the report does not name",
            expected=[],
            seen=[s for s in said_there if s not in text],
        ),
    )
