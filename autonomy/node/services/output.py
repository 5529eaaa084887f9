"""What sessions print, on its way from the zygote to whoever watches: redacted, and bounded (C-17).

A session has one open row and a window: text is added to the row until it is full, and rows leave
the window at its other end. So a session has few rows however much it prints, and none once it is
over: the beginning and the end of it stay with the session.
"""

import logging
import math
from collections.abc import Sequence
from uuid import UUID

from autonomy.domain.redaction import Stream
from autonomy.node.services.aside import UNSTORABLE
from autonomy.node.services.clean import known_to
from autonomy.node.services.workplace import Workplace
from autonomy.tasks.services.output import Piece, keep_output

logger = logging.getLogger(__name__)

WRITTEN_EVERY = 0.2
"""Seconds. A session that is over sooner writes nothing here."""

WINDOW = 64_000
ROW = 2_000
LINGERS = 5.0
"""Seconds after its end in which watchers may read the last of it."""

_EVERYTHING = 2**62


class Tape:
    """What one session printed lately, and what of it is not written yet."""

    def __init__(self, session_id: UUID) -> None:
        self.session_id = session_id
        self.shown = False
        self._full: list[tuple[int, str]] = []
        self._start = 0
        self._row = ""
        self._grew = False

    @property
    def since(self) -> int:
        """Where its window begins."""
        return max(0, self._start + len(self._row) - WINDOW)

    @property
    def waits(self) -> bool:
        """Whether something is not written yet."""
        return self._grew or bool(self._full)

    def add(self, text: str) -> None:
        """Put text behind the rest; what has left the window is not even written."""
        for at in range(0, len(text), ROW):
            self._add(text[at : at + ROW])
            self._full = [row for row in self._full if row[0] >= self.since]

    def pieces(self) -> list[Piece]:
        """What has to be written."""
        rows = [*self._full, (self._start, self._row)] if self._grew else self._full
        return [Piece(self.session_id, start, text) for start, text in rows]

    def written(self) -> None:
        """It is."""
        self._full = []
        self._grew = False
        self.shown = True

    def _add(self, text: str) -> None:
        room = ROW - len(self._row)
        self._row += text[:room]
        self._grew = True
        if len(self._row) == ROW:
            self._full.append((self._start, self._row))
            self._start += ROW
            self._row = text[room:]
            self._grew = bool(self._row)


class LiveOutput:
    """Writes what the sessions of a node print: one statement for all, at most every so often."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        self.due = math.inf
        self._tapes: dict[UUID, tuple[Tape, Stream]] = {}
        self._closing: list[Tape] = []
        self._over: dict[UUID, float] = {}

    def heard(self, session_id: UUID, text: str) -> None:
        """A session printed something."""
        held = self.place.held.get(session_id)
        if held is None or held.session_end is not None:
            return
        if session_id not in self._tapes:
            stream = known_to(self.place.node, held.order).stream()
            self._tapes[session_id] = Tape(session_id), stream
        tape, stream = self._tapes[session_id]
        tape.add(stream.feed(text))
        if tape.waits:
            self._due_at(self.place.clock() + WRITTEN_EVERY)

    def ended(self, session_id: UUID) -> None:
        """A session is over: who saw its beginning sees its end before the end is written down."""
        if session_id not in self._tapes:
            return
        tape, stream = self._tapes.pop(session_id)
        if tape.shown:
            tape.add(stream.end())
            self._closing.append(tape)
            self._due_at(self.place.clock())

    def write(self) -> None:
        """Write what is due; what the database does not take now is kept for the next time."""
        now = self.place.clock()
        if now < self.due:
            return
        over = [session_id for session_id, at in self._over.items() if at <= now]
        over += [session_id for session_id in self._tapes if session_id not in self.place.held]
        live = [tape for tape, _ in self._tapes.values() if tape.waits]
        _keep([*live, *self._closing], over)
        for session_id in over:
            self._over.pop(session_id, None)
            self._tapes.pop(session_id, None)
        self._over |= {tape.session_id: now + LINGERS for tape in self._closing}
        self._closing = []
        self.due = min(self._over.values(), default=math.inf)

    def _due_at(self, moment: float) -> None:
        self.due = min(self.due, moment)


def _keep(tapes: Sequence[Tape], over: Sequence[UUID]) -> None:
    windows = [(tape.session_id, tape.since) for tape in tapes if tape.since]
    try:
        keep_output(
            [piece for tape in tapes for piece in tape.pieces()],
            [*windows, *((session_id, _EVERYTHING) for session_id in over)],
        )
    except UNSTORABLE:  # it would be no better the next time
        logger.exception("what sessions printed could not be kept")
    for tape in tapes:
        tape.written()
