"""The parts of a task's page, each from its own rows."""

from collections.abc import Iterable
from datetime import datetime

from autonomy.tasks.admin import live
from autonomy.tasks.admin.shown import (
    Html,
    Named,
    ago,
    badge,
    block,
    code,
    document,
    grid,
    link,
    short,
)
from autonomy.tasks.models import Task
from firewall.models import Approval
from ledger.models import Outcome

_CHECK = ("looked_at", "expected", "seen")


def evidence(task: Task) -> Html:
    """What the verifier looked at, expected and saw."""
    outcome = Outcome.objects.filter(task_id=task.pk).first()
    seen = outcome.evidence if outcome else task.evidence
    if seen is None:
        return "It is not over: evidence is looked for when its session has ended."
    rows = [
        [*(check.get(name, "") for name in _CHECK), badge(check.get("verdict", ""))]
        for check in seen.get("checks", [])
    ]
    if error := seen.get("error"):
        rows.append(["the verifier itself", "an answer", error, badge("inconclusive")])
    headers = ["looked at", "expected", "seen", "verdict"]
    return grid(headers, rows, empty="Nothing was looked at.")


def evidence_id(task: Task) -> Html:
    """What the chain of events knows its evidence by."""
    outcome = Outcome.objects.filter(task_id=task.pk).first()
    seen = (outcome.evidence if outcome else task.evidence) or {}
    return code(seen["id"]) if "id" in seen else ""


def upstream(task: Task) -> Html:
    """What it waits for, or waited for."""
    tasks = Task.objects.filter(edges_down__downstream=task).order_by("id")
    return _tasks(tasks, empty="It waits for no other task.")


def downstream(task: Task) -> Html:
    """What waits for it."""
    tasks = Task.objects.filter(edges_up__upstream=task).order_by("id")
    return _tasks(tasks, empty="No other task waits for it.")


def sessions(task: Task) -> Html:
    """Its attempts, each with how it ended."""
    rows = (
        [
            link(session, f"{session.purpose} {session.attempt}"),
            session.node,
            badge(session.ended or "running"),
            _seconds(session.started_at, session.ended_at),
            _megabytes(session.peak_memory_bytes),
            session.error.strip().rpartition("\n")[2],
        ]
        for session in task.sessions.order_by("id")
    )
    headers = ["session", "node", "ended", "seconds", "memory", "error"]
    return grid(headers, rows, empty="It has not run yet.")


def live_output(task: Task) -> list[Named]:
    """What its session prints; a task of which nothing runs has no such panel."""
    running = task.sessions.filter(ended="").order_by("-id").first()
    return [("Output", live.output(running))] if running else []


def effects(task: Task) -> Html:
    """What it did to the outside, at most once each."""
    rows = (
        [effect.step, ago(effect.begun_at), ago(effect.done_at) or "not known",
         document(effect.result, empty="")]
        for effect in task.effects.order_by("id")
    )  # fmt: skip
    return grid(["step", "begun", "done", "result"], rows, empty="It has had no effect outside.")


def artifacts(task: Task) -> Html:
    """The files it left."""
    rows = (
        [link(kept, kept.name), f"{kept.size:,} B", code(kept.sha256)]
        for kept in task.artifacts.order_by("id")
    )
    return grid(["name", "size", "SHA-256"], rows, empty="It left no files.")


def plan(task: Task) -> Html:
    """What pre-flight said would change."""
    if not task.plan:
        return "No pre-flight has looked yet." if task.tier > 1 else "Tier 1 needs no pre-flight."
    summary = task.plan.get("summary", "")
    return block("\n\n".join(filter(None, [summary, task.plan.get("diff", "")])))


def approvals(task: Task) -> list[Named]:
    """What a person was asked about it; a task that nobody was asked about has no such panel."""
    rows = [
        [link(asked, asked.summary or asked.skill), badge(asked.decision), asked.comment,
         code(asked.action_digest)]
        for asked in Approval.objects.filter(task_id=task.pk).order_by("-id")
    ]  # fmt: skip
    headers = ["asked", "answer", "comment", "digest"]
    return [("Asked of a person", grid(headers, rows, empty=""))] if rows else []


def _tasks(tasks: Iterable[Task], *, empty: str) -> Html:
    rows = ([link(t, t.skill), t.key, short(t.pk), badge(t.state), t.reason[:200]] for t in tasks)
    return grid(["task", "key", "id", "state", "reason"], rows, empty=empty)


def _seconds(start: datetime, end: datetime | None) -> str:
    return f"{(end - start).total_seconds():.1f}" if end else ""


def _megabytes(size: int | None) -> str:
    return f"{size / 1e6:.0f} MB" if size else ""
