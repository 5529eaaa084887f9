"""Tasks as listed and followed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from autonomy.domain.states import LIVE, State
from autonomy.engine.selectors import explanation_of
from autonomy.tasks.models import Task
from console.selectors import lookup
from ledger.models import Outcome


class UnknownState(Exception):
    """There is no such state; the message lists them."""


@dataclass(frozen=True)
class TaskLine:
    """One task: where it stands, or how it ended."""

    id: UUID
    run_id: UUID
    parent_id: UUID | None
    key: str
    skill: str
    tier: int
    state: str
    reason: str
    verdict: str
    node: str
    attempt: int
    max_attempts: int
    origin: str
    requested_by: str
    waiting_on: int
    estimate_seconds: float
    created_at: datetime
    ready_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None

    def seconds(self, now: datetime) -> float | None:
        """How long it has run, or ran; None before it started."""
        if self.started_at is None:
            return None
        return ((self.ended_at or now) - self.started_at).total_seconds()

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return State(self.state) not in LIVE


_GROUPS = {"live": LIVE, "ended": frozenset(State) - LIVE}
_COPIED = [field.name for field in fields(TaskLine) if field.name != "verdict"]


def named(given: str) -> Task:
    """The task of this id, or of the one id that ends or begins with it."""
    return lookup.named(Task.objects.all(), given, what="task", listing="autonomy tasks")


def newest(
    *, state: str = "", skill: str = "", run: UUID | None = None, limit: int = 50
) -> list[TaskLine]:
    """The newest tasks, newest first; `state` may be `live` or `ended`."""
    return lines(wanted(state=state, skill=skill, run=run).order_by("-id")[:limit])


def wanted(*, state: str = "", skill: str = "", run: UUID | None = None) -> QuerySet[Task]:
    """The rows of tasks; raises UnknownState."""
    rows = Task.objects.all()
    if state:
        rows = rows.filter(state__in=_states(state))
    if skill:
        rows = rows.filter(skill=skill)
    if run:
        rows = rows.filter(run_id=run)
    return rows


@dataclass(frozen=True)
class Explained:
    """Why a task is where it is."""

    task: TaskLine
    sentences: tuple[str, ...]
    reason: str | None
    details: dict[str, Any]


def explained(row: Task) -> Explained:
    """The engine's account of a task, in words and in figures."""
    told = explanation_of(row.pk)
    return Explained(task(row.pk), told.sentences, told.reason, dict(told.details))


def in_states(states: Collection[str], *, limit: int) -> list[TaskLine]:
    """The newest tasks in these states."""
    return lines(Task.objects.filter(state__in=states).order_by("-id")[:limit])


def of_runs(run_ids: Collection[UUID]) -> list[TaskLine]:
    """All that grew from these requests, oldest first."""
    return lines(Task.objects.filter(run_id__in=run_ids).order_by("id"))


def task(task_id: UUID) -> TaskLine:
    """One task."""
    return lines(Task.objects.filter(pk=task_id))[0]


def _states(wanted: str) -> list[str]:
    if wanted in _GROUPS:
        return sorted(_GROUPS[wanted])
    if wanted not in set(State):
        raise UnknownState(f"{wanted!r} is no state: use {', '.join([*_GROUPS, *State])}")
    return [wanted]


def lines(rows: Iterable[Task]) -> list[TaskLine]:
    """Rows with their verdicts."""
    found = list(rows)
    ids = [row.pk for row in found]
    verdicts = dict(Outcome.objects.filter(task_id__in=ids).values_list("task_id", "verdict"))
    return [_line(row, verdicts.get(row.pk, "")) for row in found]


def _line(row: Task, verdict: str) -> TaskLine:
    copied = {
        name: getattr(row, name) for name in TaskLine.__dataclass_fields__ if name != "verdict"
    }
    return TaskLine(**copied, verdict=verdict)
