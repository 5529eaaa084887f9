"""Folding outcomes into what is known of nodes and skills, fading with age (D-8, D-12, D-13)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection

from ledger.domain.ids import new_id
from ledger.domain.outcomes import NewOutcome, signal

Row = tuple[tuple[UUID | str, ...], tuple[float, ...]]
"""The key of a row and the amounts to add to it."""

# An amount fades from the time it is of to the later of both times, so that transactions may
# commit in any order. Rows are taken in one order, so that no two batches wait for each other.
_FADE = """{0} =
    ledger_faded(old.{0}, greatest(old.at, excluded.at) - old.at, %(half_life)s)
    + ledger_faded(excluded.{0}, greatest(old.at, excluded.at) - excluded.at, %(half_life)s)"""
_FOLD = """
INSERT INTO {table} AS old (id, {columns}, at)
SELECT id, {columns}, now() FROM unnest({arrays}) AS given (id, {columns}) ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET {fades}, at = greatest(old.at, excluded.at)
"""


@dataclass(frozen=True)
class Sums:
    """A table of faded sums: the columns of its key with their types, and its amounts."""

    table: str
    key: dict[str, str]
    amounts: Sequence[str]

    def fold(self, rows: Iterable[Row]) -> None:
        """Add the amounts to the rows of their keys, in one statement."""
        summed = _summed(rows)
        if not summed:
            return
        columns = [*zip(*summed, strict=True), *zip(*summed.values(), strict=True)]
        values = dict(zip((*self.key, *self.amounts), map(list, columns), strict=True))
        ids = [new_id() for _ in summed]
        half_life = settings.AUTONOMY_SCORE_HALF_LIFE
        with connection.cursor() as cursor:
            cursor.execute(self._statement(), {"id": ids, "half_life": half_life, **values})

    def _statement(self) -> str:
        columns = {"id": "uuid", **self.key, **dict.fromkeys(self.amounts, "float8")}
        return _FOLD.format(
            table=self.table,
            key=", ".join(self.key),
            columns=", ".join((*self.key, *self.amounts)),
            arrays=", ".join(f"%({name})s::{kind}[]" for name, kind in columns.items()),
            fades=", ".join(_FADE.format(amount) for amount in self.amounts),
        )


NODES = Sums(
    "ledger_nodescore",
    {"workspace_id": "uuid", "node": "text", "skill": "text"},
    ("value_sum", "success_sum", "weight"),
)
SKILLS = Sums(
    "ledger_skillestimate",
    {"workspace_id": "uuid", "skill": "text"},
    ("seconds_sum", "success_sum", "verified_weight", "weight"),
)


def fold_scores(outcomes: Sequence[NewOutcome]) -> None:
    """Fold outcomes into node scores and skill estimates.

    Call it once in a transaction: a second batch would take its rows out of order.
    """
    said = [found for outcome in outcomes if (found := signal(outcome))]
    NODES.fold(
        ((s.workspace_id, s.node, s.skill), (s.value, s.succeeded, 1)) for s in said if s.node
    )
    SKILLS.fold(((s.workspace_id, s.skill), (s.seconds, s.succeeded, s.succeeded, 1)) for s in said)


def _summed(rows: Iterable[Row]) -> dict[tuple[UUID | str, ...], tuple[float, ...]]:
    sums: dict[tuple[UUID | str, ...], tuple[float, ...]] = {}
    for key, amounts in rows:
        before = sums.get(key, (0.0,) * len(amounts))
        sums[key] = tuple(float(a + b) for a, b in zip(before, amounts, strict=True))
    return sums
