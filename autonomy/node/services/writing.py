"""Writing down what came up in a turn: all of a kind at once, and each alone where one is refused.

What the database misses because it is away stays for the next turn.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from autonomy.node.selectors import already_closed
from autonomy.node.services.aside import UNSTORABLE
from autonomy.node.services.held import Held
from autonomy.node.services.settling import Settling
from autonomy.node.services.verifying import Verifying
from autonomy.node.services.workplace import Workplace, Write
from autonomy.tasks import services as tasks
from autonomy.tasks.services import Ending

logger = logging.getLogger(__name__)

_REFUSED = (*UNSTORABLE, ValueError)


class Writing:
    """Brings results, other writes and endings into the database, in this order."""

    def __init__(self, place: Workplace, settling: Settling, verifying: Verifying) -> None:
        self.place = place
        self.settling = settling
        self.verifying = verifying
        self.uncertain = False  # a commit's answer may have been lost

    def down(self) -> None:
        """Everything that waits for it."""
        place = self.place
        if self.uncertain:
            self._drop_written()
        if place.results:
            self._await_evidence(list(place.results))
        while place.writes:
            self._write(place.writes[0])
            place.writes.popleft()
        if place.endings:
            self._settle(list(place.endings))

    def _await_evidence(self, results: Sequence[Held]) -> None:
        try:
            waiting = tasks.await_evidence_of([held.left for held in results])
        except _REFUSED as error:
            if len(results) > 1:
                for held in results:
                    self._await_evidence([held])
                return
            logger.exception("a result could not be written down")
            self.place.results.remove(results[0])
            self.settling.fail_here(results[0], error)
            return
        for held in results:
            self.place.results.remove(held)
            self.verifying.result_kept(held, waits=held.claimed.session_id in waiting)

    @staticmethod
    def _write(write: Write) -> None:
        try:
            write.act()
        except (*_REFUSED, LookupError) as error:
            logger.exception("something could not be written down")
            write.refused(error)

    def _settle(self, endings: Sequence[Ending]) -> None:
        try:
            tasks.settle(endings)
        except _REFUSED:
            if len(endings) > 1:
                for ending in endings:
                    self._settle([ending])
                return
            logger.exception("task %s is left to the end of its lease", endings[0].task_id)
        for ending in endings:
            self._forget(ending.session_id)
            self.place.endings.remove(ending)

    def _drop_written(self) -> None:
        """After an outage: what the database has is not written twice."""
        closed = already_closed([e.session_id for e in self.place.endings if e.session_id])
        again = [e for e in self.place.endings if e.session_id not in closed or e.session is None]
        for ending in self.place.endings:
            if ending not in again:
                self._forget(ending.session_id)
        self.place.endings = again
        self.uncertain = False

    def _forget(self, session_id: UUID | None) -> None:
        if session_id and (held := self.place.held.get(session_id)):
            self.settling.forget(held)
