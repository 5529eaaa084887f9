"""The stored counts of unfinished transitive dependents (D-8, D-9).

A dependent cannot end before what it waits for, so finishing a task changes no other count: counts
change only when tasks are added or end early.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

# Whoever these tasks wait for, and who waits for them: all that changing them may change. All who
# change the graph lock it at once and in the order of ids, so that none waits in a ring. OFFSET 0
# and the locking keep the rows from being looked for in any other way than by their keys.
AROUND = """above(id) AS (
    SELECT id FROM given
    UNION
    SELECT e.upstream_id FROM above JOIN tasks_edge e ON e.downstream_id = above.id
    CROSS JOIN LATERAL (
        SELECT FROM tasks_task t WHERE t.id = e.upstream_id AND t.ended_at IS NULL OFFSET 0
    ) live
), around(id) AS (
    SELECT id FROM above
    UNION
    SELECT e.downstream_id FROM given JOIN tasks_edge e ON e.upstream_id = given.id
    ORDER BY id
), locked AS (
    SELECT t.* FROM around CROSS JOIN LATERAL (
        SELECT * FROM tasks_task t WHERE t.id = around.id FOR NO KEY UPDATE
    ) t
)"""

_LOCK = f"""
WITH RECURSIVE given AS (SELECT unnest(%(tasks)s::uuid[]) AS id), {AROUND}
SELECT id, state FROM locked
"""  # noqa: S608 -- ours

_ADDED = """
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
UPDATE tasks_task t SET dependents = t.dependents + counted.added
FROM counted, locked WHERE t.id = counted.ancestor AND t.id = locked.id
"""

# What waited for an ended task may be reached another way or no more: ancestors are counted anew.
_RECOUNT = """
WITH RECURSIVE above(id) AS (
    SELECT e.upstream_id FROM tasks_edge e WHERE e.downstream_id = ANY(%(tasks)s)
    UNION
    SELECT e.upstream_id FROM above JOIN tasks_edge e ON e.downstream_id = above.id
), locked AS (
    SELECT t.id FROM tasks_task t JOIN above USING (id) WHERE t.ended_at IS NULL
    ORDER BY t.id FOR NO KEY UPDATE OF t
), below(ancestor, id) AS (
    SELECT locked.id, locked.id FROM locked
    UNION
    SELECT below.ancestor, t.id FROM below
    JOIN tasks_edge e ON e.upstream_id = below.id
    JOIN tasks_task t ON t.id = e.downstream_id AND t.ended_at IS NULL
), counted AS (
    SELECT ancestor, count(*) - 1 AS n FROM below GROUP BY ancestor
)
UPDATE tasks_task t SET dependents = counted.n FROM counted WHERE t.id = counted.ancestor
"""


def lock(tasks: Collection[UUID]) -> dict[UUID, str]:
    """Lock these tasks and what they may change; answers the states of all of them."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"tasks": list(tasks)})
        return dict(cursor.fetchall())


def count_added(tasks: Collection[UUID]) -> None:
    """Add new tasks to the counts of all they wait for, in one statement."""
    _run(_ADDED, tasks)


def count_ended_early(tasks: Collection[UUID]) -> None:
    """Count anew for all that tasks waited for which ended before they could run."""
    _run(_RECOUNT, tasks)


def _run(statement: str, tasks: Collection[UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"tasks": list(tasks)})
