"""The one terminal record of each task, and what it adds to its day (C-25)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.domain.outcomes import NewOutcome
from ledger.domain.storable import json_text, text
from ledger.services.rollups import added_node_days, added_skill_days
from ledger.services.scores import fold_scores

_COLUMNS = {
    "task_id": "uuid",
    "epoch": "int",
    "skill": "text",
    "tier": "int",
    "state": "text",
    "node": "text",
    "session_id": "uuid",
    "reason": "text",
    "verdict": "text",
    "evidence": "text",
    "decision_seconds": "float8",
    "queue_seconds": "float8",
    "run_seconds": "float8",
    "verify_seconds": "float8",
    "expected_seconds": "float8",
    "retries": "int",
    "dollars": "numeric",
    "tokens": "bigint",
    "quality": "float8",
    "error_class": "text",
    "canary": "bool",
    "workspace_id": "uuid",
}
_RECORD = f"""
WITH fresh AS (
    INSERT INTO ledger_outcome ({", ".join(_COLUMNS)})
    SELECT {", ".join(name + "::jsonb" * (name == "evidence") for name in _COLUMNS)}
      FROM unnest({", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())})
        AS outcome ({", ".join(_COLUMNS)})
        ON CONFLICT (task_id) DO NOTHING
    RETURNING *
), by_skill AS ({added_skill_days("fresh")}
), by_node AS ({added_node_days("fresh")}
)
SELECT task_id FROM fresh
"""  # noqa: S608


def record_outcomes(outcomes: Sequence[NewOutcome]) -> frozenset[UUID]:
    """Store the outcomes, add them to days and scores; answers the tasks that had none before.

    Call it once in a transaction, in which the tasks moved to their last state.
    """
    if not outcomes:
        return frozenset()
    columns = zip(*map(_row, sorted(outcomes, key=lambda o: o.task_id)), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [list(column) for column in columns])
        recorded = frozenset(task_id for (task_id,) in cursor.fetchall())
    fold_scores([outcome for outcome in outcomes if outcome.task_id in recorded])
    return recorded


def _row(outcome: NewOutcome) -> list[Any]:
    written = {"evidence": json_text(dict(outcome.evidence)), "reason": text(outcome.reason)}
    return [written.get(name, getattr(outcome, name)) for name in _COLUMNS]
