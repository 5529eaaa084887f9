"""One round of a node's loop: hear the sessions, write down what they did, renew, claim, sweep."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError

from autonomy.node.selectors import overspent
from autonomy.node.services import calls, machine
from autonomy.node.services.adopting import Adopting
from autonomy.node.services.claiming import Claiming
from autonomy.node.services.clean import clean, known_to
from autonomy.node.services.held import Held
from autonomy.node.services.leaving import Leaving
from autonomy.node.services.looks import Looks
from autonomy.node.services.output import LiveOutput
from autonomy.node.services.running import Running
from autonomy.node.services.settling import Settling
from autonomy.node.services.verifying import Verifying
from autonomy.node.services.workplace import Workplace, Write
from autonomy.node.services.writing import Writing
from autonomy.sessions.events import Call, Ended, Event, Output
from autonomy.sessions.orders import End, Report
from autonomy.sessions.pool import SessionPool
from autonomy.systemmap import services as systemmap
from autonomy.tasks import services as tasks
from autonomy.tasks.services.artifacts import sweep_artifacts
from autonomy.tasks.services.output import sweep_output

logger = logging.getLogger(__name__)

POLL_SECONDS = 2.0
RENEW_SECONDS = 5.0
SWEEP_SECONDS = 5.0
PARTS_SECONDS = 1.0
SOURCES_SECONDS = 5.0
SPENDING_SECONDS = 0.5
OUTPUT_SECONDS = 60.0
TIDY_SECONDS = 60.0
LONGEST_WAIT = 1.0


class Part(Protocol):
    """What another app does on every node, about every second: `part(looks)`."""

    def __call__(self, looks: Looks) -> object: ...


@dataclass
class SlotTime:
    """How long slots have been in use, added up from round to round. Seconds."""

    since: float
    used: float = 0.0

    def count(self, in_use: int, *, now: float) -> None:
        """So many have been in use since it was last asked."""
        self.used += in_use * (now - self.since)
        self.since = now


@dataclass
class Timer:
    """Something done every so often, sooner when it is rung."""

    every: float
    act: Callable[[], object]
    due: float = 0.0
    done: float = -math.inf

    def hasten(self, now: float) -> None:
        """Have it done now, or soon where it was done just before: bells ring often under load."""
        self.due = min(self.due, max(now, self.done + self.every / 5))


class Turn:
    """What a node does in each round, and what it keeps from one to the next."""

    def __init__(self, place: Workplace, parts: Sequence[Part]) -> None:
        self.place = place
        self.looks = Looks(place)
        self.claiming = Claiming(place, self.looks)
        self.settling = Settling(place, self.looks)
        self.verifying = Verifying(place, self.looks, self.settling)
        self.running = Running(place, self.settling, self.verifying)
        self.adopting = Adopting(place, self.claiming, self.verifying)
        self.output = LiveOutput(place)
        self.writing = Writing(place, self.settling, self.verifying)
        self.leaving = Leaving(place, self.settling, self.writing)
        self._claim = Timer(POLL_SECONDS, self.claiming.claim_work)
        self._parts = Timer(PARTS_SECONDS, lambda: self._do(parts))
        self._slots = SlotTime(place.clock())
        self.timers = [
            Timer(RENEW_SECONDS, self._renew),
            self._claim,
            Timer(SWEEP_SECONDS, tasks.reconcile),
            Timer(SWEEP_SECONDS, self.adopting.adopt),
            Timer(SOURCES_SECONDS, self._follow_sources),
            Timer(SPENDING_SECONDS, self._end_overspent),
            Timer(OUTPUT_SECONDS, sweep_output),
            Timer(TIDY_SECONDS, self._tidy),
            self._parts,
        ]

    def wait(self) -> float:
        """Seconds until something is due."""
        if self.place.generations.inbox:
            return 0.0
        now = self.place.clock()
        dues = [self.output.due, *(timer.due for timer in self.timers)]
        if (look := self.verifying.next_due()) is not None:
            dues.append(look)
        return min(LONGEST_WAIT, max(0.0, min(dues) - now))

    def take(self, *, rung: bool) -> None:
        """One round. Raises what the database raises; nothing is forgotten then."""
        self._slots.count(self.place.at_work, now=self.place.clock())
        self._hear_all()
        self.output.write()
        free = self.place.free_slots
        self.writing.down()
        self.verifying.turn()
        now = self.place.clock()
        if rung or self.place.free_slots > free:
            self._claim.due = now
        if rung:
            self._parts.hasten(now)
        for timer in self.timers:
            if timer.due <= now:
                timer.act()
                timer.done = self.place.clock()
                timer.due = timer.done + timer.every
        self.writing.down()

    def database_away(self) -> None:
        """The last commit may have happened or not."""
        self.writing.uncertain = True

    def _do(self, parts: Sequence[Part]) -> None:
        """What the other apps do here; a part that fails holds up no other, and no task."""
        for part in parts:
            try:
                part(self.looks)
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                logger.exception("a part of node %s failed", self.place.node.name)

    # -- generations

    def _follow_sources(self) -> None:
        """Run what is begun from now on with the sources as they are now; the rest goes on."""
        generations = self.place.generations
        if generations.stale() and generations.follow():
            self._declare_later()
        generations.dismiss(self.place.pools_in_use())

    def _declare_later(self) -> None:
        logger.info("node %s has loaded its skills anew", self.place.node.name)
        self.place.writes.append(Write(lambda: declare(self.place)))

    # -- hearing

    def _hear_all(self) -> None:
        generations = self.place.generations
        generations.hear()
        if generations.replace_dead():
            self._declare_later()
        while generations.inbox:
            self._hear(*generations.inbox.popleft())

    def _hear(self, pool: SessionPool, event: Event) -> None:
        match event:
            case Call():
                self._answer(pool, event)
            case Output():
                self.output.heard(event.session_id, event.text)
            case Ended():
                self._hear_end(event.session_id, event.report)

    def _hear_end(self, session_id: UUID, report: Report) -> None:
        """Of a look, of a session, or of one that is not ours any more."""
        held, look = self.place.held.get(session_id), self.place.looks.get(session_id)
        if look is not None:
            self.looks.handle(session_id, clean(report, look.order, self.place.node))
        elif held is not None and held.ended_at is not None:  # it was fenced off, and is gone now
            self.settling.forget(held)
        elif held is not None:
            self.output.ended(session_id)
            self.running.session_ended(held, clean(report, held.order, self.place.node))

    def _answer(self, pool: SessionPool, call: Call) -> None:
        try:
            reply = self._reply(call)
        except tasks.StaleWrite as error:
            pool.refuse(call, "stale", str(error))
        except calls.REFUSALS as error:
            pool.refuse(call, "permanent", str(error))
        except (DatabaseError, InterfaceError) as error:
            pool.refuse(call, "transient", f"the database is away: {error}")
            raise
        else:
            pool.answer(call, reply)

    def _reply(self, call: Call) -> Any:
        """What a look, or a session, is told; raises StaleWrite for one that is not ours."""
        held, look = self.place.held.get(call.session_id), self.place.looks.get(call.session_id)
        if look is not None:
            return machine.told(look.order, call)
        if held is None:
            raise tasks.StaleWrite("this session is not known here")
        return calls.answer(held, call, known_to(self.place.node, held.order))

    # -- leases

    def _renew(self) -> None:
        """Say that the node lives, renew every lease at once, end what is no longer ours."""
        used = self._slots.used
        standing = systemmap.beat(self.place.node.name, self.place.incarnation, busy_seconds=used)
        self._slots.used -= used
        held = list(self.place.leases())
        sent_at = SessionPool.now()
        answers = tasks.renew([item.lease for item in held])
        kept = [item for item in held if item.claimed.task_id in answers]
        ours = [item.claimed.session_id for item in kept]
        for pool in self.place.generations.all:
            pool.renewed([*ours, *self.place.looks], at=sent_at)
        for item in held:
            if item.claimed.task_id not in answers:
                self._fenced_off(item)
            elif answers[item.claimed.task_id] and not item.cancelled:
                self.running.cancel(item)
        self.claiming.paused = standing.paused

    def _end_overspent(self) -> None:
        """Sessions that asked for more tokens or dollars than they may spend end for that."""
        running = [h for h in self.place.held.values() if _runs(h) and h.pool.alive]
        if not running:
            return
        crossed = overspent([held.claimed.session_id for held in running])
        for held in running:
            if limit := crossed.get(held.claimed.session_id):
                error = f"it may not spend more {limit}"
                held.pool.end(held.claimed.session_id, End.RESOURCE, error, limit=limit)

    def _tidy(self) -> None:
        """Remove files that no row names; a storage that is away is no reason to end."""
        try:
            sweep_artifacts(self.place.store.storage)
        except OSError as error:
            logger.warning("artifacts could not be swept: %s", error)

    def _fenced_off(self, held: Held) -> None:
        """Nothing it says counts any more; its slot is free once its processes are gone (C-6)."""
        logger.warning("task %s is no longer held here; its session ends", held.claimed.task_id)
        if held.evidence_since is not None:  # whoever goes on may need what the session left
            self.settling.leave(held)
            return
        if held.session_end is None and held.pool.alive:
            held.ended_at = self.place.clock()
            held.pool.end(held.claimed.session_id, End.LOST, "its task is no longer held here")
        else:
            self.settling.forget(held)


def _runs(held: Held) -> bool:
    return held.session_end is None and held.evidence_since is None


def declare(place: Workplace) -> None:
    """Put on the map what this node has loaded."""
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
    systemmap.sync(declared, place.pool.problems, node=place.node.name)
