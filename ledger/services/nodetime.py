"""Adding up how long nodes lived and how long their slots were in use (C-27)."""

from django.db import connection

from ledger.domain.ids import DEFAULT_WORKSPACE

_ADD = """
INSERT INTO ledger_nodeday AS old (workspace_id, node, day, ended, verified, failed,
    alive_seconds, slot_seconds, busy_seconds)
VALUES (%(workspace)s, %(node)s, (now() AT TIME ZONE 'UTC')::date, 0, 0, 0,
    %(alive)s, %(slots)s, %(busy)s)
ON CONFLICT (workspace_id, node, day) DO UPDATE SET
    alive_seconds = old.alive_seconds + excluded.alive_seconds,
    slot_seconds = old.slot_seconds + excluded.slot_seconds,
    busy_seconds = old.busy_seconds + excluded.busy_seconds
"""


def add_node_time(node: str, *, alive_seconds: float, slots: int, busy_seconds: float) -> None:
    """The node has lived for so long since it last said so; its slots cannot have been busier."""
    slot_seconds = alive_seconds * slots
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD,
            {
                "workspace": DEFAULT_WORKSPACE,
                "node": node,
                "alive": alive_seconds,
                "slots": slot_seconds,
                "busy": min(max(busy_seconds, 0.0), slot_seconds),
            },
        )
