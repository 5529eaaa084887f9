"""The supervisor of a node: claims, renews, settles, reconciles and ends sessions.

One thread turns the loop below. It may block on the database; the zygote does not, and ends every
session whose lease is not renewed (C-6).
"""

import logging
import os
import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import DatabaseError, InterfaceError, connection

from autonomy.domain.states import ErrorClass
from autonomy.node.selectors import already_closed
from autonomy.node.services import calls, folders
from autonomy.node.services.artifacts import ArtifactStore
from autonomy.node.services.claiming import Claiming
from autonomy.node.services.held import Held
from autonomy.node.services.looks import Looks
from autonomy.node.services.running import Running
from autonomy.node.services.workplace import Node, Workplace
from autonomy.sessions import isolation
from autonomy.sessions.events import Call
from autonomy.sessions.orders import End, Report
from autonomy.sessions.pool import Ended, Output, SessionPool, Started
from autonomy.systemmap import services as systemmap
from autonomy.tasks import services as tasks

logger = logging.getLogger(__name__)

POLL_SECONDS = 2.0
RENEW_SECONDS = 5.0
SWEEP_SECONDS = 5.0
PARTS_SECONDS = 1.0
LONGEST_WAIT = 1.0
DATABASE_AWAY_SECONDS = 1.0


class Part(Protocol):
    """What another app does on every node, about every second: `part(looks)`."""

    def __call__(self, looks: Looks) -> object: ...


@dataclass
class Timer:
    """Something done every so often, at once when it is rung."""

    every: float
    act: Callable[[], object]
    due: float = 0.0


class Supervisor:
    """Turns the loop of one node until it is told to stop."""

    def __init__(self, node: Node, store: ArtifactStore, parts: Sequence[Part] = ()) -> None:
        self.node = node
        self.store = store
        self.parts = parts
        self._stopping = threading.Event()
        self._bell, self._ringer = socket.socketpair()
        for end in (self._bell, self._ringer):
            end.settimeout(0)

    # -- from other threads

    def ring(self) -> None:
        """There may be work: look at once."""
        with suppress(OSError):  # it is ringing already, or nobody listens any more
            self._ringer.send(b"!")

    def stop(self) -> None:
        """Take nothing new, end what runs, leave the map."""
        self._stopping.set()
        self.ring()

    @property
    def stopping(self) -> bool:
        """Whether its end was asked for."""
        return self._stopping.is_set()

    # -- the loop

    def run(self) -> None:
        """Join, work until stopped, leave. Outages of the database are survived."""
        with self._bell, self._ringer:
            place = self._join()
            if place is None:
                return
            try:
                self._work(place)
            finally:
                place.pool.close()
                self._leave(place)

    def _join(self) -> Workplace | None:
        folders.sweep(self.node.folder, living=set())
        pool = SessionPool(self.node.skills)
        pool.start()
        while not self._stopping.is_set():
            try:
                return self._enter(pool)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("node %s cannot join yet: %s", self.node.name, error)
                connection.close()
                self._stopping.wait(DATABASE_AWAY_SECONDS)
        pool.close()
        return None

    def _enter(self, pool: SessionPool) -> Workplace:
        incarnation = systemmap.register(
            systemmap.NodeFacts(
                name=self.node.name,
                tiers=self.node.tiers,
                slots=self.node.slots,
                labels=self.node.labels,
                isolation=isolation.detect().level,
                pid=os.getpid(),
            )
        )
        place = Workplace(self.node, self.store, pool, incarnation)
        self._declare(place)
        return place

    def _declare(self, place: Workplace) -> None:
        declared = [
            systemmap.Declared(
                kind=c.kind,
                name=c.name,
                version=c.version,
                tier=c.tier,
                owner=c.owner,
                description=c.description,
                declaration=c.declaration,
            )
            for c in place.pool.components
        ]
        systemmap.sync(declared, place.pool.problems, node=self.node.name)

    def _leave(self, place: Workplace) -> None:
        try:
            systemmap.leave(self.node.name, place.incarnation)
        except (DatabaseError, InterfaceError, systemmap.Replaced) as error:
            logger.warning("node %s left without saying so: %s", self.node.name, error)
        finally:
            connection.close()

    def _work(self, place: Workplace) -> None:
        turn = _Turn(self, place)
        with selectors.DefaultSelector() as selector:
            selector.register(self._bell, selectors.EVENT_READ)
            selector.register(place.pool, selectors.EVENT_READ)
            while not self._stopping.is_set():
                ready = selector.select(turn.wait())
                rung = any(key.fileobj is self._bell for key, _ in ready)
                if rung:
                    _drain(self._bell)
                try:
                    turn.take(rung=rung)
                except systemmap.Replaced as error:
                    logger.error("%s; this process ends", error)
                    return
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("the database is away: %s", error)
                    connection.close()
                    turn.database_away()
                    self._stopping.wait(DATABASE_AWAY_SECONDS)
                if not place.pool.alive:
                    self._new_zygote(place, turn, selector)

    def _new_zygote(
        self, place: Workplace, turn: "_Turn", selector: selectors.BaseSelector
    ) -> None:
        """Every session died with its zygote: settle them as lost and start another."""
        selector.unregister(place.pool)
        turn.all_lost()
        place.pool.close()
        place.pool = SessionPool(self.node.skills)
        place.pool.start()
        selector.register(place.pool, selectors.EVENT_READ)


class _Turn:
    """One round: hear the sessions, write down what they did, renew, claim, sweep."""

    def __init__(self, supervisor: Supervisor, place: Workplace) -> None:
        self.place = place
        self.looks = Looks(place)
        self.claiming = Claiming(place, self.looks)
        self.running = Running(place, self.looks)
        self._uncertain = False  # a commit's answer may have been lost
        self._claim = Timer(POLL_SECONDS, self.claiming.claim_work)
        self.timers = [
            Timer(RENEW_SECONDS, self._renew),
            self._claim,
            Timer(SWEEP_SECONDS, tasks.reconcile),
            Timer(PARTS_SECONDS, lambda: [part(self.looks) for part in supervisor.parts]),
        ]

    def wait(self) -> float:
        """Seconds until something is due."""
        now = self.place.clock()
        dues = [timer.due for timer in self.timers]
        if (look := self.running.next_due()) is not None:
            dues.append(look)
        return min(LONGEST_WAIT, max(0.0, min(dues) - now))

    def take(self, *, rung: bool) -> None:
        """One round. Raises what the database raises; nothing is forgotten then."""
        for event in self.place.pool.handle_ready():
            self._hear(event)
        freed = self._write_down()
        self.running.turn()
        if rung or freed:
            self._claim.due = 0.0
            self.timers[-1].due = 0.0
        now = self.place.clock()
        for timer in self.timers:
            if timer.due <= now:
                timer.act()
                timer.due = self.place.clock() + timer.every
        self._write_down()

    def database_away(self) -> None:
        """The last commit may have happened or not."""
        self._uncertain = True

    def all_lost(self) -> None:
        """The zygote died: so did every session and look."""
        report = Report(
            ended=End.LOST,
            error_class=ErrorClass.LOST,
            error="the process that runs sessions ended",
        )
        for session_id in list(self.place.looks):
            self.looks.handle(session_id, report)
        for held in list(self.place.leases()):
            if held.session_end is None:
                self.running.session_ended(held, report)

    # -- hearing

    def _hear(self, event: Started | Output | Call | Ended) -> None:
        match event:
            case Call():
                self._answer(event)
            case Ended() if not self.looks.handle(event.session_id, event.report):
                held = self.place.held.get(event.session_id)
                if held is not None and held.ended_at is None:
                    self.running.session_ended(held, event.report)

    def _answer(self, call: Call) -> None:
        held = self.place.held.get(call.session_id)
        if held is None:
            self.place.pool.refuse(call, "stale", "this session is not known here")
            return
        try:
            reply = calls.answer(held, call.name, call.params)
        except tasks.StaleWrite as error:
            self.place.pool.refuse(call, "stale", str(error))
        except calls.REFUSALS as error:
            self.place.pool.refuse(call, "permanent", str(error))
        except (DatabaseError, InterfaceError) as error:
            self.place.pool.refuse(call, "transient", f"the database is away: {error}")
            raise
        else:
            self.place.pool.answer(call, reply)

    # -- writing

    def _write_down(self) -> bool:
        """Everything that came up in this round; what the database refused stays for the next."""
        place = self.place
        if not (place.writes or place.endings):
            return False
        if self._uncertain:
            self._drop_written()
        while place.writes:
            place.writes[0]()
            place.writes.pop(0)
        if place.endings:
            tasks.settle(place.endings)
            for ending in place.endings:
                self._forget(ending.session_id)
            place.endings.clear()
        return True

    def _drop_written(self) -> None:
        """After an outage: what the database has is not written twice."""
        closed = already_closed([e.session_id for e in self.place.endings if e.session_id])
        again = [e for e in self.place.endings if e.session_id not in closed or e.session is None]
        for ending in self.place.endings:
            if ending not in again:
                self._forget(ending.session_id)
        self.place.endings = again
        self._uncertain = False

    def _forget(self, session_id: Any) -> None:
        if held := self.place.held.get(session_id):
            self.running.forget(held)

    # -- leases

    def _renew(self) -> None:
        """Say that the node lives, renew every lease at once, end what is no longer ours."""
        standing = systemmap.beat(self.place.node.name, self.place.incarnation)
        held = list(self.place.leases())
        sent_at = self.place.pool.now()
        answers = tasks.renew([item.lease for item in held])
        kept = [item for item in held if item.claimed.task_id in answers]
        ours = [item.claimed.session_id for item in kept]
        self.place.pool.renewed([*ours, *self.place.looks], at=sent_at)
        for item in held:
            if item.claimed.task_id not in answers:
                self._fenced_off(item)
            elif answers[item.claimed.task_id] and not item.cancelled:
                self._cancel(item)
        self._claim.every = float("inf") if standing.paused else POLL_SECONDS

    def _fenced_off(self, held: Held) -> None:
        logger.warning("task %s is no longer held here; its session ends", held.claimed.task_id)
        self.place.pool.cancel(held.claimed.session_id)
        self.running.forget(held)

    def _cancel(self, held: Held) -> None:
        held.cancelled = True
        if held.session_end is None:
            self.place.pool.cancel(held.claimed.session_id)


def _drain(bell: socket.socket) -> None:
    try:
        while bell.recv(4096):
            pass
    except BlockingIOError:
        return
