"""The facts behind `explain`: for a task in any state (D-21)."""

from datetime import datetime
from uuid import UUID

from autonomy.domain.explain import Dependency, Explanation, TaskFacts, explain
from autonomy.domain.states import HeldFor, State
from autonomy.domain.world import ReadyTask, microseconds
from autonomy.engine.selectors.world import observe, weights
from autonomy.tasks.models import Edge, Task
from ledger.models import Event, Outcome
from ledger.selectors import database_time

_MAY_BE_DISPATCHED = (State.READY, State.PREFLIGHT)


def explanation_of(task_id: UUID) -> Explanation:
    """Why the task is where it is, in plain words; raises Task.DoesNotExist."""
    task = Task.objects.get(pk=task_id)
    if task.state not in _MAY_BE_DISPATCHED or task.node:
        return explain(_facts(task, ready=None))
    weighing = weights()[1]
    world = observe({}, weighing).world
    ready = next((other for other in world.tasks if other.id == str(task.id)), None)
    return explain(_facts(task, ready=ready), world, weighing)


def placement_of(task_id: UUID) -> str:
    """The sentence of the last decision that sent the task to a node; empty before the first."""
    event = (
        Event.objects.filter(stream="task", stream_id=str(task_id), type="task_dispatched")
        .order_by("-id")
        .first()
    )
    return str(event.payload.get("reason", "")) if event else ""


def _facts(task: Task, *, ready: ReadyTask | None) -> TaskFacts:
    outcome = Outcome.objects.filter(pk=task.id).first()
    checks = outcome.evidence.get("checks", ()) if outcome else ()
    return TaskFacts(
        id=str(task.id),
        skill=task.skill,
        tier=task.tier,
        state=State(task.state),
        origin=task.origin,
        now=microseconds(database_time()),
        reason=task.reason,
        held_for=_held_for(task),
        waits_for=_waits_for(task),
        run_at=microseconds(task.run_at),
        attempt=task.attempt,
        max_attempts=task.max_attempts,
        estimate_seconds=task.estimate_seconds,
        node=task.node,
        claimed=task.lease_until is not None,
        dispatched_at=_at(task.dispatched_at),
        started_at=_at(task.started_at),
        ended_at=_at(task.ended_at),
        decision=placement_of(task.id),
        verdict=outcome.verdict if outcome else "",
        evidence=tuple(f"{check['looked_at']}: {check['seen']}" for check in checks),
        ready=ready,
    )


def _at(time: datetime | None) -> int | None:
    return None if time is None else microseconds(time)


def _held_for(task: Task) -> HeldFor:
    """The first word of the stored reason says it."""
    word = task.reason.partition(":")[0]
    return HeldFor(word) if word in set(HeldFor) else HeldFor.APPROVAL


def _waits_for(task: Task) -> tuple[Dependency, ...]:
    if task.state != State.BLOCKED:
        return ()
    edges = Edge.objects.filter(downstream=task).select_related("upstream").order_by("upstream_id")
    return tuple(
        Dependency(
            name=edge.upstream.key or edge.upstream.skill,
            state=State(edge.upstream.state),
            seconds_left=edge.upstream.estimate_seconds,
        )
        for edge in edges
    )
