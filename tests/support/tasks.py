"""A map with skills of each tier, and tasks brought to the state a test starts from."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection

from autonomy.domain.states import State
from autonomy.systemmap import services as systemmap
from autonomy.tasks import services
from autonomy.tasks.models import Task
from ledger.domain.ids import new_id

NODE = "n1"
PERSON = "person:ada"


def declare_skills(**tiers: int) -> None:
    """Put skills on the map, each taking `{"x": any}`; retried twice, expected to take 10 s."""
    declaration: dict[str, Any] = {
        "arguments": {"type": "object", "properties": {"x": {}}, "additionalProperties": False},
        "retries": {
            "max_attempts": 3,
            "base_seconds": 0,
            "cap_seconds": 0,
            "on_exhausted": "fail",
        },
        "estimate_seconds": 10.0,
        "foreign_code": False,
        "labels": [],
        "has_preflight": True,
        "has_verifier": True,
        "has_reads": False,
    }
    declared = [
        systemmap.Declared(
            kind="skill",
            name=name,
            tier=tier,
            version="v1",
            owner="tests",
            declaration=declaration,
        )
        for name, tier in tiers.items()
    ]
    systemmap.sync(declared, {}, node=NODE)


def join(name: str = NODE, slots: int = 4) -> UUID:
    """A node on the map; answers its incarnation."""
    return systemmap.register(systemmap.NodeFacts(name=name, tiers=(1, 2, 3), slots=slots))


def submit(skill: str = "one", args: Mapping[str, Any] | None = None, **options: Any) -> Task:
    """A task asked for by a person."""
    made = services.submit(
        skill, args or {}, origin=options.pop("origin", PERSON), requested_by=PERSON, **options
    )
    return Task.objects.get(id=made.task_id)


def dispatched(task: Task, node: str = NODE) -> Task:
    """The task as the engine leaves it when it has chosen a node."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_task SET"
            " state = CASE state WHEN 'ready' THEN 'dispatched' ELSE state END,"
            " node = %s, epoch = epoch + 1, dispatched_at = now() WHERE id = %s",
            [node, task.id],
        )
    task.refresh_from_db()
    return task


def claimed(task: Task, incarnation: UUID, node: str = NODE) -> services.Claimed:
    """The task as a node holds it that has claimed it."""
    wanted = services.Claim(task.id, task.epoch, new_id(), "v1", "digest", needs_approval=False)
    (taken,) = services.claim(node, incarnation, [wanted])
    return taken


def ending(taken: services.Claimed, state: State, **fields: Any) -> services.Ending:
    """How a claimed task ended."""
    return services.Ending(taken.task_id, taken.epoch, taken.session_id, state, **fields)


__all__ = ["NODE", "PERSON", "claimed", "declare_skills", "dispatched", "ending", "join", "submit"]
