"""The supervisor's side of lookers: which one looks next, and what waits for one."""

import time
from collections import deque
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

from autonomy.domain.states import ErrorClass
from autonomy.sdk.skill import Limits
from autonomy.sessions.errands import Errand, Kind
from autonomy.sessions.events import Ended
from autonomy.sessions.orders import End, Order, Purpose, Report
from autonomy.sessions.talk import Talk
from autonomy.sessions.wire import Message

MOST_LOOKERS = 8
_IDLE_SECONDS = 60
_SET_UP_SECONDS = 15
_NO_LIMIT_SECONDS = 1e6
_LARGEST_ANSWER = 16_000_000
_ROOT = Path("/")


class Looker(Talk):
    """What is said between the supervisor and one looker, and what it is at."""

    def __init__(self, order: Order, sock: Any, errand: Errand) -> None:
        super().__init__(order, sock)
        self.kind = errand.kind
        self.errand: Errand | None = errand
        self.ready = False
        self.begun = False
        self.idle_since = 0.0
        self.answers: list[Message] = []

    def _take(self, message: Message, calls: list[Any]) -> None:
        if "ready" in message:
            self.ready = True
        elif "answer" in message:
            self.answers.append(message["answer"])
            self.ready = not message["last"]
        else:
            super()._take(message, calls)


class Beginning(Protocol):
    """What lookers need of their pool."""

    @property
    def alive(self) -> bool:
        """Whether a looker can be begun."""

    def begin(self, order: Order, errand: Errand) -> Looker:
        """A new looker."""

    def tell(self, talk: Talk, message: Message) -> None:
        """Send to it."""

    def end(self, session_id: UUID, how: End, error: str) -> None:
        """Have it killed."""

    def tell_zygote(self, message: Message) -> None:
        """Send to the zygote."""


class Lookers:
    """All lookers of a pool, and the looks that wait for one."""

    def __init__(self, pool: Beginning) -> None:
        self._pool = pool
        self._all: dict[UUID, Looker] = {}
        self._waiting: deque[Errand] = deque()
        self._ended: list[Ended] = []

    @property
    def looks(self) -> frozenset[UUID]:
        """Those that were asked for and have not ended."""
        running = (looker.errand.id for looker in self._all.values() if looker.errand)
        return frozenset((*running, *(errand.id for errand in self._waiting)))

    def at_work_on(self, looks: set[UUID]) -> list[UUID]:
        """The lookers that look at these."""
        busy = ((looker.session_id, looker.errand) for looker in self._all.values())
        return [session_id for session_id, errand in busy if errand and errand.id in looks]

    def take(self, errand: Errand) -> None:
        """Have it looked at, by a looker that is free or becomes so."""
        self._waiting.append(errand)
        self._assign()

    def heard(self, looker: Looker) -> None:
        """Take what a looker has answered."""
        answers, looker.answers = looker.answers, []
        for answer in answers:
            errand, looker.errand = looker.errand, None
            looker.begun = False
            looker.idle_since = time.monotonic()
            self._pool.tell_zygote({"looked": str(looker.session_id)})
            if errand:
                self._note(errand.answered(answer))

    def ended(self, looker: Looker, report: Report) -> None:
        """A looker is gone, and with it what it was looking at."""
        self._all.pop(looker.session_id, None)
        if looker.errand:
            self._note(looker.errand.unanswered(report))

    def cancel(self, look: UUID) -> None:
        """Take back a look; one that has begun takes its looker with it."""
        for errand in [errand for errand in self._waiting if errand.id == look]:
            self._waiting.remove(errand)
            self._note(errand.unanswered(Report(ended=End.CANCELLED, error="cancelled")))
        for looker in self.at_work_on({look}):
            self._kill(looker, "cancelled")

    def turn(self) -> list[Ended]:
        """The looks that have ended since the last turn, after giving what waits to the free."""
        self._rest()
        self._assign()
        ended, self._ended = self._ended, []
        return ended

    def _assign(self) -> None:
        if not self._pool.alive:
            self._give_up()
        for errand in list(self._waiting):
            if self._given(errand):
                self._waiting.remove(errand)
        for looker in self._all.values():
            if looker.ready and looker.errand and not looker.begun:
                self._begin_look(looker, looker.errand)

    def _given(self, errand: Errand) -> bool:
        """Whether a looker has taken it: one of its kind, or a new one while there is room."""
        for looker in self._idle():
            if looker.kind == errand.kind:
                looker.errand = errand
                return True
        if not self._room():
            return False
        looker = self._pool.begin(_order(errand.kind), errand)
        self._all[looker.session_id] = looker
        return True

    def _room(self) -> bool:
        """Whether another may be begun; the one that has been idle longest makes room for it."""
        if len(self._all) < MOST_LOOKERS:
            return True
        oldest = min(self._idle(), key=lambda looker: looker.idle_since, default=None)
        if oldest:
            self._dismiss(oldest)
        return oldest is not None

    def _begin_look(self, looker: Looker, errand: Errand) -> None:
        looker.begun = True
        look = {
            "session_id": str(looker.session_id),
            "wall_seconds": errand.wall_seconds,
            "leased_at": errand.leased_at,
        }
        self._pool.tell_zygote({"look": look})
        self._pool.tell(looker, errand.message)

    def _rest(self) -> None:
        """End lookers that nobody has needed for a while."""
        now = time.monotonic()
        for looker in self._idle():
            if now - looker.idle_since > _IDLE_SECONDS:
                self._dismiss(looker)

    def _dismiss(self, looker: Looker) -> None:
        del self._all[looker.session_id]
        self._kill(looker.session_id, "not needed any more")

    def _kill(self, looker: UUID, error: str) -> None:
        self._pool.end(looker, End.CANCELLED, error)

    def _idle(self) -> list[Looker]:
        return [looker for looker in self._all.values() if looker.ready and looker.errand is None]

    def _give_up(self) -> None:
        lost = Report(ended=End.LOST, error_class=ErrorClass.LOST, error="the zygote is gone")
        while self._waiting:
            self._note(self._waiting.popleft().unanswered(lost))

    def _note(self, ended: Ended | None) -> None:
        if ended:
            self._ended.append(ended)


def _order(kind: Kind) -> Order:
    """A looker of this kind."""
    return Order(
        session_id=uuid4(),
        task_id=UUID(int=0),
        purpose=Purpose.LOOK,
        component="",
        folder=_ROOT,
        artifacts=_ROOT,
        scope=kind.scope,
        uid=kind.uid,
        database_url=kind.database_url,
        limits=Limits(
            wall_seconds=_SET_UP_SECONDS,
            memory_bytes=kind.memory_bytes,
            cpu_seconds=_NO_LIMIT_SECONDS,
            result_bytes=_LARGEST_ANSWER,
        ),
    )
