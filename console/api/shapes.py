"""Rows as the API tells them: plain values, without secrets."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.conf import settings

from autonomy.tasks.models import Session, Task
from autonomy.tasks.selectors.output import Printed
from console.selectors.ledger import OutcomeLine
from console.selectors.tasks import TaskLine

V1 = "/api/v1"


def task_line(task: TaskLine) -> dict[str, Any]:
    """A task in a list."""
    return {**asdict(task), "links": {"self": f"{V1}/tasks/{task.id}"}}


def task_whole(line: TaskLine, task: Task) -> dict[str, Any]:
    """A task with what it was asked, what it answered, and what it left."""
    hide = settings.AUTONOMY_SECRETS.current()
    sessions = task.sessions.values("id", "purpose", "attempt", "node", "ended").order_by("id")
    artifacts = task.artifacts.values("name", "sha256", "size").order_by("id")
    return {
        **task_line(line),
        "args": hide.value(task.resolved or task.args),
        "result": hide.value(task.result),
        "cause": task.cause,
        "sessions": list(sessions),
        "artifacts": list(artifacts),
    }


def session_whole(session: Session) -> dict[str, Any]:
    """A session: how it went and what it used."""
    own = f"{V1}/sessions/{session.pk}"
    copied = (
        *("id", "task_id", "node", "purpose", "attempt", "version", "limits", "ended"),
        *("error_class", "error", "peak_memory_bytes", "cpu_seconds", "tokens", "dollars"),
        *("started_at", "ended_at"),
    )
    task = f"{V1}/tasks/{session.task_id}"
    links = {"self": own, "output": f"{own}/output", "task": task}
    told = {name: getattr(session, name) for name in copied}
    return {**told, "dollars": exact(session.dollars), "links": links}


def output(session: Session, seen: Printed) -> dict[str, Any]:
    """What a session has printed, and the place from which to ask for more."""
    return {
        "session_id": session.pk,
        "text": seen.shown,
        "skipped": seen.skipped,
        "place": seen.place,
        "ended": seen.ended,
    }


def outcome(line: OutcomeLine) -> dict[str, Any]:
    """How a task ended."""
    links = {"task": f"{V1}/tasks/{line.task_id}"}
    return {**asdict(line), "dollars": exact(line.dollars), "links": links}


def exact(dollars: Decimal) -> str:
    """Money is told as text: JSON has no exact numbers."""
    return f"{dollars:f}"
