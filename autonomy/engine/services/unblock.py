"""Tasks whose dependencies have all ended: they go on, or end with them."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import jsonschema
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from autonomy.domain.states import ErrorClass, State
from autonomy.sdk.references import UnresolvedReference, resolve
from autonomy.systemmap.models import Component, Kind
from autonomy.tasks.models import Edge, Task
from autonomy.tasks.services import Ending, settle
from ledger.services import Fact, record

logger = logging.getLogger(__name__)

BATCH = 500

_GO_ON = """
WITH given AS (
    SELECT * FROM unnest(%(tasks)s::uuid[], %(resolved)s::jsonb[]) AS g(task_id, resolved)
), locked AS (
    SELECT t.id FROM tasks_task t JOIN given ON given.task_id = t.id
    WHERE t.state = 'blocked' AND t.waiting_on = 0 ORDER BY t.id FOR NO KEY UPDATE OF t
)
UPDATE tasks_task t SET
    state = CASE t.tier WHEN 1 THEN 'ready' ELSE 'preflight' END,
    resolved = given.resolved, ready_at = now()
FROM given, locked WHERE given.task_id = t.id AND locked.id = t.id
RETURNING t.id, t.state
"""


@transaction.atomic
def unblock() -> int:
    """Judge every blocked task that waits for nothing more, in a constant number of statements."""
    tasks = list(Task.objects.filter(state=State.BLOCKED, waiting_on=0).order_by("id")[:BATCH])
    if not tasks:
        return 0
    upstream = _upstream([task.id for task in tasks])
    schemas = dict(
        Component.objects.filter(kind=Kind.SKILL, name__in={t.skill for t in tasks}).values_list(
            "name", "declaration"
        )
    )
    go_on: dict[UUID, Any] = {}
    endings: list[Ending] = []
    for task in tasks:
        if words := _dead_end(task, upstream[task.id]):
            endings.append(Ending(task.id, task.epoch, None, State.CANCELLED, reason=words))
            continue
        try:
            go_on[task.id] = _resolved(task, upstream[task.id], schemas.get(task.skill, {}))
        except UnresolvedReference as error:
            endings.append(_failed(task, str(error)))
        except Exception as error:
            logger.exception("the arguments of task %s cannot be made", task.id)
            endings.append(_failed(task, f"its arguments cannot be made: {error!r}"[:2000]))
    return len(_go_on(go_on)) + len(settle(endings))


def _failed(task: Task, reason: str) -> Ending:
    return Ending(
        task.id,
        task.epoch,
        None,
        State.FAILED,
        reason=reason,
        error_class=ErrorClass.PERMANENT,
    )


def _upstream(task_ids: Sequence[UUID]) -> Mapping[UUID, list[Task]]:
    found: dict[UUID, list[Task]] = defaultdict(list)
    edges = Edge.objects.filter(downstream_id__in=task_ids).select_related("upstream")
    for edge in edges.order_by("upstream_id"):
        found[edge.downstream_id].append(edge.upstream)
    return found


def _dead_end(task: Task, upstream: Sequence[Task]) -> str:
    """Why the task cannot go on, or nothing."""
    if task.always_run:
        return ""
    for dependency in upstream:
        if dependency.state != State.DONE and not dependency.allow_failure:
            return (
                f"dependency_failed: {dependency.key or dependency.skill} ended {dependency.state}"
            )
    return ""


def _resolved(task: Task, upstream: Sequence[Task], declaration: Mapping[str, Any]) -> Any:
    """The arguments with results put in, checked against the schema once more."""
    results = {dependency.id: dependency.result for dependency in upstream}

    def result_of(task_id: UUID) -> Any:
        return results.get(task_id)

    resolved = resolve(task.args, result_of)
    checker = jsonschema.Draft202012Validator(declaration.get("arguments", {}))
    for error in checker.iter_errors(resolved):
        raise UnresolvedReference(
            f"{'.'.join(map(str, error.absolute_path))}: {error.message}"[:2000]
        )
    return resolved


def _go_on(resolved: Mapping[UUID, Any]) -> list[UUID]:
    if not resolved:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _GO_ON,
            {"tasks": list(resolved), "resolved": [Jsonb(args) for args in resolved.values()]},
        )
        rows = cursor.fetchall()
    if rows:
        record(
            *(
                Fact(
                    type="task_unblocked",
                    stream="task",
                    stream_id=str(task_id),
                    actor="engine",
                    payload={"state": state},
                )
                for task_id, state in rows
            )
        )
    return [task_id for task_id, _ in rows]
