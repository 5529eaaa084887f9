"""The stored counts of unfinished transitive dependents (D-8, D-9).

A dependent cannot end before what it waits for, so finishing a task changes no other count: counts
change only when tasks are added or are ended early.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

_ANCESTORS = """
WITH RECURSIVE above(descendant, ancestor) AS (
    SELECT e.downstream_id, e.upstream_id FROM tasks_edge e WHERE e.downstream_id = ANY(%(tasks)s)
    UNION
    SELECT above.descendant, e.upstream_id
    FROM above JOIN tasks_edge e ON e.downstream_id = above.ancestor
), counted AS (
    SELECT ancestor, count(*) AS added FROM above GROUP BY ancestor
), locked AS (
    SELECT t.id FROM tasks_task t JOIN counted ON counted.ancestor = t.id
    ORDER BY t.id FOR NO KEY UPDATE OF t
)
UPDATE tasks_task t SET dependents = greatest(0, t.dependents + %(sign)s * counted.added)
FROM counted, locked WHERE t.id = counted.ancestor AND t.id = locked.id
"""


def count_added(tasks: Collection[UUID]) -> None:
    """Add new tasks to the counts of all they wait for, in one statement."""
    _shift(tasks, 1)


def count_ended_early(tasks: Collection[UUID]) -> None:
    """Take cancelled tasks out of the counts of all they waited for."""
    _shift(tasks, -1)


def _shift(tasks: Collection[UUID], sign: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ANCESTORS, {"tasks": list(tasks), "sign": sign})
