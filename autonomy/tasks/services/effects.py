"""Side effects: an intent before, a result after, both behind the fence (C-9)."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from autonomy.domain.states import State
from autonomy.tasks.models import Effect, Task
from ledger.domain.storable import json_text
from ledger.services import Fact, record


class StaleWrite(Exception):
    """The session no longer holds its task: what it sent changes nothing (C-4)."""


@contextmanager
def fenced(task_id: UUID, epoch: int, session_id: UUID) -> Iterator[Task]:
    """A transaction that holds the task as this session's; raises StaleWrite when it is not."""
    with transaction.atomic():
        task = (
            Task.objects.select_for_update(no_key=True)
            .filter(id=task_id, epoch=epoch, session_id=session_id, state=State.RUNNING)
            .first()
        )
        if task is not None:
            yield task
            return
    record_stale(task_id, epoch, session_id, what="call")
    raise StaleWrite(f"task {task_id} is no longer held at epoch {epoch}")


@transaction.atomic
def record_stale(task_id: UUID, epoch: int, session_id: UUID | None, *, what: str) -> None:
    """Say in the ledger that a late write was refused."""
    record(
        Fact(
            type="stale_write_rejected",
            stream="task",
            stream_id=str(task_id),
            actor=f"session:{session_id}",
            payload={"epoch": epoch, "what": what},
        )
    )


def begin_effect(task: Task, step: str) -> tuple[str, Any]:
    """Write the intent: `new`; or find it already `done` (with its result) or only `begun`."""
    effect, created = Effect.objects.get_or_create(
        task=task, step=step, defaults={"epoch": task.epoch}
    )
    if created:
        record(_fact(task, "effect_begun", step))
        return "new", None
    return ("begun", None) if effect.done_at is None else ("done", effect.result)


def complete_effect(task: Task, step: str, result: Any) -> None:
    """Write that the effect has happened, with the result that later attempts are given."""
    Effect.objects.filter(task=task, step=step, done_at__isnull=True).update(
        done_at=Now(), result=json.loads(json_text(result)), epoch=task.epoch
    )
    record(_fact(task, "effect_done", step))


def undo_effect(task: Task, step: str) -> None:
    """Take the intent back: the effect has certainly not happened."""
    undone, _ = Effect.objects.filter(task=task, step=step, done_at=None).delete()
    if undone:
        record(_fact(task, "effect_undone", step))


def unknown_fate(task_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Of tasks that have begun effects and not done them: that nobody can tell, in words."""
    steps: dict[UUID, list[str]] = defaultdict(list)
    begun = Effect.objects.filter(task_id__in=task_ids, done_at=None).order_by("id")
    for task_id, step in begun.values_list("task_id", "step"):
        steps[task_id].append(repr(step))
    return {
        task_id: f"nobody can tell whether {', '.join(names)} happened"
        for task_id, names in steps.items()
    }


def forget_begun_effects(task_ids: Sequence[UUID]) -> None:
    """A person lets tasks run again although nobody knows how these effects ended."""
    begun = Effect.objects.filter(task_id__in=task_ids, done_at=None).select_related("task")
    record(*(_fact(effect.task, "effect_forgotten", effect.step) for effect in begun))
    begun.delete()


def _fact(task: Task, type_: str, step: str) -> Fact:
    return Fact(
        type=type_,
        stream="task",
        stream_id=str(task.id),
        actor=f"session:{task.session_id}",
        payload={"step": step, "epoch": task.epoch},
        cause=task.cause,
    )
