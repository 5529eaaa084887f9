"""Putting together what is kept of a run, from the ledger and from what the world looks like."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from autonomy.engine.selectors import placement_of
from autonomy.tasks.models import Artifact, Task
from autonomy.tasks.selectors import artifacts
from autonomy.verification import commit_of
from console.demo.judging import MERGE, REPORT, Ended, judge
from console.demo.record import (
    ApprovalRecord,
    Check,
    LedgerRecord,
    Places,
    Record,
    RepositoryRecord,
    TaskRecord,
)
from console.demo.source import Copy
from console.host.home import write_private
from console.selectors.approvals import line as approval_line
from console.selectors.runs import Run
from console.selectors.tasks import TaskLine
from firewall.models import Approval
from ledger.models import Outcome
from ledger.services import verify

LAST = "last.json"


def recorded(
    run: Run,
    copy: Copy,
    *,
    actor: str,
    console: str,
    logs: Path,
    started: datetime,
    ended: datetime,
) -> Record:
    """The record of a run that is over, or as far as it came."""
    approvals = _approvals(run)
    now = _stands_at(copy)
    judgement = judge(
        _endings(run),
        said_no=any(a.skill == MERGE and a.decision == "rejected" for a in approvals),
        origin_moved=now != copy.commit,
    )
    return Record(
        ending=judgement.ending,
        words=judgement.words,
        exit=judgement.exit,
        started_at=started,
        ended_at=ended,
        seconds=(ended - started).total_seconds(),
        repository=RepositoryRecord(
            source=copy.source,
            origin=str(copy.origin),
            branch=copy.branch,
            commit=copy.commit,
            now=now,
        ),
        tasks=_tasks(run.tasks),
        approvals=approvals,
        ledger=_ledger(actor),
        places=Places(console=console, logs=str(logs), report=_report(run, copy)),
    )


def write(record: Record, folder: Path) -> Path:
    """Keep the record as the last one."""
    write_private(folder / LAST, json.loads(record.model_dump_json()))
    return folder / LAST


def _endings(run: Run) -> list[Ended]:
    results = dict(
        Task.objects.filter(pk__in=[t.id for t in run.tasks]).values_list("pk", "result")
    )
    return [Ended(t.skill, t.state, t.verdict, t.reason, results.get(t.id)) for t in run.tasks]


def _tasks(lines: Sequence[TaskLine]) -> tuple[TaskRecord, ...]:
    outcomes = Outcome.objects.in_bulk([line.id for line in lines])
    return tuple(_task(line, outcomes.get(line.id)) for line in lines)


def _task(line: TaskLine, outcome: Outcome | None) -> TaskRecord:
    checks = outcome.evidence.get("checks", []) if outcome else []
    return TaskRecord(
        id=line.id,
        key=line.key,
        skill=line.skill,
        tier=line.tier,
        node=line.node,
        state=line.state,
        reason=line.reason,
        verdict=line.verdict,
        evidence=tuple(Check(**{n: check[n] for n in Check.model_fields}) for check in checks),
        attempts=line.attempt,
        seconds=line.seconds(line.ended_at) if line.ended_at else None,
        placement=placement_of(line.id),
    )


def _approvals(run: Run) -> tuple[ApprovalRecord, ...]:
    asked = Approval.objects.filter(task_id__in=[t.id for t in run.tasks]).order_by("id")
    lines = map(approval_line, asked.select_related("decided_by"))
    names = list(ApprovalRecord.model_fields)
    return tuple(ApprovalRecord(**{n: getattr(line, n) for n in names}) for line in lines)


def _ledger(actor: str) -> LedgerRecord:
    found = verify(actor=actor)
    return LedgerRecord(
        ok=found.ok,
        blocks=found.blocks,
        events=found.events,
        head=found.head,
        problem=str(found.problem or ""),
    )


def _report(run: Run, copy: Copy) -> str:
    """The report as a file beside the origin, where it can be read from here."""
    reports = [t.id for t in run.tasks if t.skill == REPORT]
    kept = Artifact.objects.filter(task_id__in=reports, name="report.md").last()
    if kept is None:
        return ""
    report = copy.folder / "report.md"
    with report.open("wb") as file:
        artifacts.copy(kept.sha256, file)
    return str(report)


def _stands_at(copy: Copy) -> str:
    """The commit that origin's branch stands on: looked at, not remembered."""
    return commit_of(copy.origin, f"refs/heads/{copy.branch}") or "absent"
