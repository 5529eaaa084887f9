"""What sessions print, read while they run and afterwards (C-17).

A place in the output of a session is the number of characters before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from autonomy.sessions.output import LEFT_OUT
from autonomy.tasks.models import Session

Rows = Sequence[tuple[int, str]]
"""Where each row begins, and its text."""


@dataclass(frozen=True)
class Printed:
    """What a session has printed after some place. `skipped` characters cannot be read any more."""

    text: str
    skipped: int
    place: int
    ended: str
    """How the session ended; empty while it runs."""

    @property
    def shown(self) -> str:
        """The text, and before it a mark where something is missing."""
        mark = f"[… {self.skipped} characters not shown …]\n" if self.skipped else ""
        return mark + self.text


# However many sessions are watched, one statement.
_LIVE = """
SELECT s.id, s.ended, c.start, c.text
FROM unnest(%(sessions)s::uuid[], %(places)s::bigint[]) AS w(session_id, place)
JOIN tasks_session s ON s.id = w.session_id
LEFT JOIN tasks_outputchunk c ON c.session_id = s.id AND c.start + length(c.text) > w.place
ORDER BY s.id, c.start
"""


def live(places: Mapping[UUID, int]) -> dict[UUID, tuple[str, Rows]]:
    """For each session how it ended, and the rows that reach beyond a place in its output."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, {"sessions": list(places), "places": list(places.values())})
        found: dict[UUID, tuple[str, list[tuple[int, str]]]] = {}
        for session_id, ended, start, text in cursor.fetchall():
            rows = found.setdefault(session_id, (ended, []))[1]
            if text is not None:
                rows.append((start, text))
    return {session_id: (ended, rows) for session_id, (ended, rows) in found.items()}


def printed(session: Session, place: int = 0) -> Printed:
    """What one session has printed after a place in its output; at most two more statements."""
    if not session.ended:
        ended, rows = live({session.pk: place}).get(session.pk, ("", ()))
        if not ended:
            return joined(rows, place)
        session.refresh_from_db(fields=["ended", "output"])  # it ended since it was read
    return kept(session.output, session.ended, place)


def joined(rows: Rows, place: int, ended: str = "") -> Printed:
    """The text of rows from a place on."""
    if not rows:
        return Printed("", 0, place, ended)
    begin = max(place, rows[0][0])
    text = "".join(text[max(0, begin - start) :] for start, text in rows)
    return Printed(text, begin - place, begin + len(text), ended)


def kept(output: str, ended: str, place: int) -> Printed:
    """What is kept of a session that is over: its beginning and its end."""
    cut = LEFT_OUT.search(output)
    if place and cut:  # places do not count what was left out; its end is what has to be seen
        return Printed(output[cut.end() :].lstrip("\n"), int(cut[1]), place + len(output), ended)
    return Printed(output[place:], 0, max(place, len(output)), ended)
