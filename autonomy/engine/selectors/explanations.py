"""The facts behind `explain`: for a task in any state (D-21)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from autonomy.domain.explain import Dependency, Explanation, TaskFacts, explain
from autonomy.domain.states import HeldFor, State
from autonomy.domain.world import microseconds
from autonomy.engine.selectors.ready import PER_ORIGIN
from autonomy.engine.selectors.weights import InForce, in_force
from autonomy.engine.selectors.world import observe
from autonomy.tasks.models import Edge, Task
from firewall.domain.levels import Level, of_rank
from firewall.models import Dial
from ledger.models import Event, Outcome
from ledger.selectors import database_time

_MAY_BE_DISPATCHED = (State.READY, State.PREFLIGHT)


def explanation_of(task_id: UUID) -> Explanation:
    """Why the task is where it is, in plain words; raises Task.DoesNotExist."""
    task = Task.objects.get(pk=task_id)
    if task.state not in _MAY_BE_DISPATCHED or task.node:
        return explain(_facts(task))
    weighing = in_force()
    seen = observe({}, weighing.weights, also=task.id)
    place = seen.places.get(str(task.id), 0)
    facts = _facts(
        task,
        ready=next((other for other in seen.world.tasks if other.id == str(task.id)), None),
        place=place if place > PER_ORIGIN else 0,
        problem=seen.aside.get(str(task.id), ""),
        standing=tuple(_standing(weighing, seen.world.level)),
    )
    return explain(facts, seen.world, weighing.weights)


def _standing(weighing: InForce, level: Level) -> Iterator[str]:
    """What an operator should know besides: the level is not full, weights are refused."""
    if level is not Level.FULL:
        yield told_of(Dial.objects.first())
    for version, problem in weighing.refused.items():
        yield f"Version {version} of the weights is not used: {problem}"


def told_of(dial: Dial | None) -> str:
    """Who or what holds the autonomy level where it is."""
    if dial is None:
        return "The row that says how much may run is missing: nothing starts without it"
    if dial.ceiling <= dial.chosen:
        by, why = dial.ceiling_by or "the database", dial.ceiling_reason
    else:
        by, why = "the engine", dial.chosen_reason
    because = f": {why}" if why else ""
    return f"The autonomy level was set to {of_rank(dial.in_force)} by {by}{because}"


def placement_of(task_id: UUID) -> str:
    """The sentence of the last decision that sent the task to a node; empty before the first."""
    event = (
        Event.objects.filter(stream="task", stream_id=str(task_id), type="task_dispatched")
        .order_by("-id")
        .first()
    )
    return str(event.payload.get("reason", "")) if event else ""


def _facts(task: Task, **seen: Any) -> TaskFacts:
    outcome = Outcome.objects.filter(pk=task.id).first()
    proof = outcome.evidence if outcome else (task.evidence or {})
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
        evidence=tuple(f"{c['looked_at']}: {c['seen']}" for c in proof.get("checks", ())),
        evidence_id=str(proof.get("id", "")),
        **seen,
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
