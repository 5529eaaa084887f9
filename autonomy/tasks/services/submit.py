"""The one way in: a request becomes a durable task in the caller's transaction (C-1)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any
from uuid import UUID

import jsonschema
from django.db import connection, transaction
from django.db.models.functions import Now

from autonomy.domain.graph import (
    ChainTooLong,
    CycleRefused,
    check_chain,
    critical,
    refuse_cycles,
)
from autonomy.domain.states import LIVE, TERMINAL, State
from autonomy.sdk.references import is_reference, references
from autonomy.systemmap.models import Component
from autonomy.systemmap.selectors import declared_skills
from autonomy.tasks.models import Edge, Task
from autonomy.tasks.services import graph
from ledger.domain.ids import new_id
from ledger.domain.storable import json_text
from ledger.selectors import estimates
from ledger.services import Fact, record

MAX_ARGS_BYTES = 100_000
MAX_CHILDREN = 1000
MOST_ROWS = 5_000
"""In one statement, which holds at most 65,535 values."""


class SubmitRefused(Exception):
    """The request was refused and nothing was stored; the message says what to change."""


class BadRequest(SubmitRefused):
    """An argument does not fit the skill's schema; the message names it."""


class UnknownDependency(SubmitRefused):
    """A dependency names no task."""


class ChainStopped(SubmitRefused):
    """The chain of causes is too long, or a component keeps causing itself (C-10)."""


@dataclass(frozen=True)
class Submitted:
    """The task that stands for the request, and whether it is new (C-8)."""

    task_id: UUID
    created: bool


@dataclass(frozen=True)
class Child:
    """A task that a running task asks for; `key` names it among its siblings."""

    key: str
    skill: str
    args: Mapping[str, Any]
    depends_on: Sequence[UUID] = ()
    always_run: bool = False
    allow_failure: bool = False
    id: UUID = field(default_factory=new_id)


@transaction.atomic
def submit(
    skill: str,
    args: Mapping[str, Any],
    *,
    origin: str,
    requested_by: str,
    cause: Sequence[str] = (),
    depends_on: Sequence[UUID] = (),
    dedupe_key: str | None = None,
    run_at: datetime | None = None,
    deadline: datetime | None = None,
    priority_hint: float = 0.0,
    canary: bool = False,
) -> Submitted:
    """Store a task and return it; a live one with the same dedupe key is returned instead.

    Raises UnknownSkill, BadRequest, UnknownDependency or ChainStopped, and then stores nothing.
    """
    component = declared_skills([skill])[skill]
    if not isfinite(priority_hint):
        raise BadRequest("priority_hint: is not a finite number")
    task_id = new_id()
    task = _task(
        component,
        Child(key="", skill=skill, args=args, depends_on=depends_on, id=task_id),
        estimate=estimates([skill]).get(skill),
        origin=origin,
        requested_by=requested_by,
        cause=list(cause),
        run_id=task_id,
        dedupe_key=dedupe_key,
        deadline=deadline,
        priority_hint=priority_hint,
        canary=canary,
    )
    if run_at is not None:
        task.run_at = run_at
    if dedupe_key is not None and (existing := _twin(dedupe_key)):
        return Submitted(existing, created=False)
    _store([task], {task_id: depends_on})
    return Submitted(task_id, created=True)


@transaction.atomic
def submit_children(parent: Task, children: Sequence[Child]) -> dict[str, UUID]:
    """Store what a running task asks for, all or none; asked again, answer the same tasks."""
    known = dict(
        Task.objects.filter(parent_id=parent.id, key__in=[c.key for c in children]).values_list(
            "key", "id"
        )
    )
    if len(known) == len(children):
        return known
    if known or len({c.key for c in children}) < len(children) or len(children) > MAX_CHILDREN:
        raise SubmitRefused(
            f"ask for up to {MAX_CHILDREN} tasks at once, each with a key of its own"
        )
    names = sorted({child.skill for child in children})
    components, estimated = declared_skills(names), estimates(names)
    tasks = [
        _task(
            components[child.skill],
            child,
            estimate=estimated.get(child.skill),
            origin=parent.origin,
            requested_by=f"service:{parent.skill}",
            cause=[*parent.cause, f"{parent.skill}:{parent.id}"],
            run_id=parent.run_id,
            parent_id=parent.id,
            canary=parent.canary,
        )
        for child in children
    ]
    try:
        _store(tasks, {child.id: child.depends_on for child in children})
    except CycleRefused as error:
        raise SubmitRefused(str(error)) from None
    return {child.key: child.id for child in children}


def _task(
    component: Component,
    child: Child,
    *,
    estimate: float | None,
    cause: list[str],
    **fields: Any,
) -> Task:
    declaration = component.declaration
    _check_args(child, declaration["arguments"])
    try:
        check_chain([*cause, f"{child.skill}:{child.id}"])
    except ChainTooLong as error:
        raise ChainStopped(str(error)) from None
    return Task(
        id=child.id,
        key=child.key,
        skill=child.skill,
        tier=component.tier,
        args=dict(child.args),
        cause=cause,
        always_run=child.always_run,
        allow_failure=child.allow_failure,
        estimate_seconds=estimate or declaration["estimate_seconds"],
        max_attempts=declaration["retries"]["max_attempts"],
        **fields,
    )


def _check_args(child: Child, schema: dict[str, Any]) -> None:
    """References are checked when they are resolved; everything else now."""
    _check_storable(dict(child.args))
    later = {name for name, value in child.args.items() if is_reference(value)}
    partial = {
        **schema,
        "properties": {k: {} if k in later else v for k, v in schema.get("properties", {}).items()},
    }
    problem = jsonschema.Draft202012Validator(partial)
    errors = [
        f"{'.'.join(map(str, e.absolute_path)) or child.skill}: {e.message}"
        for e in problem.iter_errors(dict(child.args))
    ]
    if errors:
        raise BadRequest("; ".join(errors)[:2000])
    strangers = _referred(dict(child.args)) - set(child.depends_on)
    if strangers:
        raise BadRequest(f"refers to {strangers.pop()}, which it does not depend on")


def _check_storable(args: dict[str, Any]) -> None:
    """Refuse what the database would refuse, or would keep as something else."""
    try:
        written = json_text(args)
    except ValueError as error:
        raise BadRequest(f"the arguments cannot be stored: {error}") from None
    if len(written) > MAX_ARGS_BYTES:
        raise BadRequest(f"the arguments are longer than {MAX_ARGS_BYTES:,} characters")
    kept = json.loads(written)
    if altered := [name for name, value in args.items() if kept.get(name) != value]:
        raise BadRequest(f"{altered[0]}: holds characters that cannot be stored")


def _referred(args: dict[str, Any]) -> set[UUID]:
    try:
        return {ref.task for ref in references(args)}
    except ValueError:
        raise BadRequest('a reference is {"$ref": the id of a task, "path": "a.field"}') from None


def _twin(dedupe_key: str) -> UUID | None:
    """The live task of this key. The lock makes two submits of one key take turns."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [dedupe_key])
    live = Task.objects.filter(dedupe_key=dedupe_key, state__in=LIVE)
    return live.values_list("id", flat=True).first()


def _store(tasks: list[Task], upstream: Mapping[UUID, Sequence[UUID]]) -> None:
    """Insert tasks, edges and what the engine must know of the graph; raises CycleRefused."""
    refuse_cycles(upstream)
    batch = {task.id for task in tasks}
    outside = {u for ids in upstream.values() for u in ids} - batch
    unfinished = batch | _unfinished(outside)
    on_path = critical(upstream, {task.id: task.estimate_seconds for task in tasks})
    for task in tasks:
        task.critical_path = task.id in on_path
        task.waiting_on = sum(u in unfinished for u in set(upstream[task.id]))
        _start(task, has_upstream=bool(upstream[task.id]))
    Task.objects.bulk_create(tasks)
    edges = [
        Edge(upstream_id=up, downstream_id=task)
        for task, ups in upstream.items()
        for up in set(ups)
    ]
    if edges:
        Edge.objects.bulk_create(edges, batch_size=MOST_ROWS)
        graph.count_added(batch)
    record(*map(_submitted, tasks))


def _start(task: Task, *, has_upstream: bool) -> None:
    """A task with dependencies starts blocked even when they have ended: the engine judges how."""
    if has_upstream:
        task.state = State.BLOCKED
    else:
        task.resolved = task.args
        task.state = State.READY if task.tier == 1 else State.PREFLIGHT
        task.ready_at = Now()


def _unfinished(ids: Iterable[UUID]) -> set[UUID]:
    """Which tasks are not over; the lock keeps them so until our edges are stored."""
    ids = set(ids)
    if not ids:
        return set()
    rows = graph.lock(ids)
    if missing := ids - rows.keys():
        raise UnknownDependency(f"there is no task {sorted(missing)[0]}")
    return {task for task in ids if State(rows[task]) not in TERMINAL}


def _submitted(task: Task) -> Fact:
    return Fact(
        type="task_submitted",
        stream="task",
        stream_id=str(task.id),
        actor=task.requested_by,
        payload={
            "skill": task.skill,
            "tier": task.tier,
            "state": task.state,
            "origin": task.origin,
        },
        cause=task.cause,
    )
