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
# A function, so that the server plans this once in a session and not for each batch: planning would
# cost more than doing it. It has the rights of whoever calls it.
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION ledger_record_outcomes({", ".join(f"{k}[]" for k in _COLUMNS.values())})
RETURNS SETOF uuid LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY
WITH fresh AS (
    INSERT INTO ledger_outcome ({", ".join(_COLUMNS)})
    SELECT {", ".join(name + "::jsonb" * (name == "evidence") for name in _COLUMNS)}
      FROM unnest({", ".join(f"${place}" for place, _ in enumerate(_COLUMNS, start=1))})
        AS outcome ({", ".join(_COLUMNS)})
        ON CONFLICT (task_id) DO NOTHING
    RETURNING *
), by_skill AS ({added_skill_days("fresh")}
), by_node AS ({added_node_days("fresh")}
)
SELECT task_id FROM fresh;
END $$
"""  # noqa: S608
_RECORD = f"""
SELECT ledger_record_outcomes({", ".join(f"%s::{kind}[]" for kind in _COLUMNS.values())})
"""


def install() -> None:
    """Bring the database's part of this to this version. Only the owner may."""
    with connection.cursor() as cursor:
        cursor.execute(_FUNCTION)


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
