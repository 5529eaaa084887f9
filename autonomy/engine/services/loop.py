"""The engine's loop: woken by whatever is recorded, and looking by itself anyway (D-1)."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection

from autonomy.domain.priority import Weights
from autonomy.engine import selectors
from autonomy.engine.services import leadership, passes, predicting
from autonomy.engine.services.answers import hear_answers
from autonomy.engine.services.dispatch import Dispatched, dispatch
from autonomy.engine.services.pace import Pace
from autonomy.engine.services.parts import Parts
from autonomy.engine.services.restrain import keep_within_level
from autonomy.engine.services.thinking import Mind
from autonomy.engine.services.troubles import Troubles
from autonomy.engine.services.unblock import unblock
from autonomy.engine.services.watching import watch_nodes
from autonomy.tasks.services import review_quality
from ledger import wake
from ledger.domain.ids import new_id

logger = logging.getLogger(__name__)

POLL_SECONDS = 2.0
AWAY_SECONDS = 1.0
THINK_SECONDS = 5.0
TIDY_SECONDS = 60.0
MOST_PASSES = 100  # before the lead is renewed, however much there is to do

Ring = Callable[[Iterable[tuple[str, int]]], None]


class Engine:
    """Leads while it holds the lease, waits beside the leader otherwise."""

    def __init__(self, ring: Ring) -> None:
        self.id: UUID = new_id()
        self.ring = ring
        self.stopping = threading.Event()
        self.parts = Parts()
        self.troubles = Troubles()
        self.mind = Mind()
        self.pace = Pace()
        self._around: Mapping[str, str] = {}
        self._observed = False  # whole, since it last thought
        self.think_at = 0.0
        self._tidy_at = 0.0
        self._owed: dict[str, int] | None = None  # known only while leading
        self._renew_at = 0.0

    def run(self) -> None:
        """Turn until stopped; an outage of the database is waited out, and no data ends this."""
        while not self.stopping.is_set():
            try:
                self.turn()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("the database is away: %s", error)
                self._start_over()
            except Exception:
                logger.exception("a turn of the engine failed")
                self._start_over()
        leadership.step_down(self.id)

    def _start_over(self) -> None:
        connection.close()
        self._owed = None
        self.stopping.wait(AWAY_SECONDS)

    def turn(self) -> None:
        """Work if it is ours to lead, and wait for the next wake-up."""
        if self.work():
            wake.wait(min(POLL_SECONDS, max(0.01, self._renew_at - time.monotonic())))
        else:
            self.stopping.wait(leadership.RENEW_SECONDS)

    def work(self) -> bool:
        """All that can be done now; whether it is ours to lead."""
        if time.monotonic() >= self._renew_at:
            self._lead()
        if self._owed is None:
            return False
        for _ in range(MOST_PASSES):
            if not self._pass(self._owed):
                break
        if time.monotonic() >= self.think_at:
            self._think(self._owed)
        return True

    def _think(self, owed: dict[str, int]) -> None:
        """What is done every few seconds, whatever happens."""
        self.think_at = time.monotonic() + THINK_SECONDS
        do, weighing = self.parts.do, selectors.in_force()
        if not self._observed:
            do("observation", lambda: self._look(owed, weighing.weights), None)
        do("nodes", watch_nodes, 0)
        do("trust", lambda: self.mind.think(weighing.rules, observed=self._observed), None)
        self._observed = False
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_SECONDS
            do("quality", review_quality, otherwise=False)
            do("tidying", lambda: passes.forget_old() + predicting.forget_old(), 0)
        self.troubles.tell({**self._around, **self.parts.troubles})

    def _look(self, owed: dict[str, int], weights: Weights) -> None:
        """See the world whole also while no node has room: nothing is trusted unseen."""
        selectors.observe(owed, weights)
        self._observed = True

    def _lead(self) -> None:
        asked_at = time.monotonic()
        if not leadership.lead(self.id):
            self._owed = None
        elif self._owed is None:
            logger.info("engine %s leads", self.id)
            self._owed = selectors.last_owed()
        self._renew_at = asked_at + leadership.RENEW_SECONDS

    def _pass(self, owed: dict[str, int]) -> bool:
        """Everything that can move, moved once; whether it is worth looking again at once."""
        do = self.parts.do
        moved = do("answers", hear_answers, 0) + do("dependencies", unblock, 0)
        moved += do("level", keep_within_level, 0)
        known = self.mind.context
        pace = self.pace
        with pace.measured():
            dispatched = do(
                "dispatch",
                lambda: dispatch(owed, known, round_trip=pace.seconds),
                Dispatched.nothing(owed),
            )
        self._owed = dict(dispatched.owed)
        self._observed |= dispatched.whole
        self._around = dispatched.troubles
        self.ring(dispatched.doorbells)
        self.troubles.tell({**self._around, **self.parts.troubles})
        return bool(moved)
