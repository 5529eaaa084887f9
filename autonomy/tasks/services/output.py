"""Keeping what running sessions print where whoever watches can read it (C-17)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from ledger.domain.ids import DEFAULT_WORKSPACE, new_id
from ledger.domain.storable import text

SWEPT_AT_ONCE = 1_000


@dataclass(frozen=True)
class Piece:
    """Text that a session printed after its first `start` characters."""

    session_id: UUID
    start: int
    text: str


# One statement for every session of a node: what grew is written again, what fell out of a
# session's window and what sessions left that are long over goes. Only a session that runs may add.
_KEEP = """
WITH gone AS (
    DELETE FROM tasks_outputchunk c
    USING unnest(%(windows)s::uuid[], %(since)s::bigint[]) AS w(session_id, since)
    WHERE c.session_id = w.session_id AND c.start < w.since
)
INSERT INTO tasks_outputchunk (id, workspace_id, session_id, start, text)
SELECT p.id, %(workspace)s, p.session_id, p.start, p.text
FROM unnest(%(ids)s::uuid[], %(sessions)s::uuid[], %(starts)s::bigint[], %(texts)s::text[])
    AS p(id, session_id, start, text)
JOIN tasks_session s ON s.id = p.session_id AND s.ended = ''
ON CONFLICT (session_id, start) DO UPDATE SET text = EXCLUDED.text, at = now()
"""

_SWEEP = """
DELETE FROM tasks_outputchunk WHERE id IN (
    SELECT c.id FROM tasks_outputchunk c LEFT JOIN tasks_session s ON s.id = c.session_id
    WHERE c.at < now() - interval '1 minute'
      AND (s.id IS NULL OR s.ended_at < now() - interval '1 minute')
    LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED
)
"""


def keep_output(pieces: Sequence[Piece], windows: Iterable[tuple[UUID, int]]) -> None:
    """Write pieces, and forget what each session printed before the start of its window."""
    since = list(windows)
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            {
                "workspace": DEFAULT_WORKSPACE,
                "windows": [session_id for session_id, _ in since],
                "since": [start for _, start in since],
                "ids": [new_id() for _ in pieces],
                "sessions": [piece.session_id for piece in pieces],
                "starts": [piece.start for piece in pieces],
                "texts": [text(piece.text) for piece in pieces],
            },
        )


def sweep_output() -> int:
    """Remove what sessions left whose node did not: at most a bounded number of rows."""
    with connection.cursor() as cursor:
        cursor.execute(_SWEEP, {"limit": SWEPT_AT_ONCE})
        return int(cursor.rowcount)
