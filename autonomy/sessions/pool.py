"""The supervisor's side of a zygote. One thread uses it; nothing here ever waits but `start`.

    pool = SessionPool(folders=(Path("skills"),))
    pool.start(timeout=30)                    # loads the modules; raises ZygoteFailed
    pool.components                           # [Loaded(kind, name, version, tier, …)]
    pool.problems                             # {module: traceback}
    pool.isolation                            # how far sessions are cut off here
    selector.register(pool, EVENT_READ)       # one descriptor stands for all: pool.fileno()
    pool.spawn(Order(…), leased_at=t)         # t = pool.now() taken before the claim was sent
    pool.renewed([session_id, …], at=t)       # t = pool.now() taken before the renewal was sent
    pool.cancel(session_id)                   # SIGTERM, 10 s, SIGKILL; Ended follows
    pool.end(session_id, End.RESOURCE, "why", limit="dollars")  # SIGKILL
    for event in pool.handle_ready():         # whatever came, without waiting
        match event:
            case Started(session_id, pid): …
            case Output(session_id, text): …
            case Call(session_id, number, name, params):
                pool.answer(event, result)          # after COMMIT
                pool.refuse(event, "stale", "why")  # or "permanent", "transient", "ambiguous"
            case Ended(session_id, report): …
    pool.alive                                # False: every session has had its Ended("lost")
    pool.stale()                              # the sources on disk are no longer what is loaded
    pool.close()                              # ends what still runs

Calls and the results they want:

    effect_begin {step}          -> {"state": "new" | "begun" | "done", "result": …}
    effect_done  {step, result}  -> None
    submit       {submissions}   -> {key: id}; `depends_on` and `$ref` hold keys or ids of tasks
    say          {text}          -> None

A call refused as `stale` ends its session as lost. Two pools may live side by side: start the new
one, let the old one drain, close it. The thread that calls `start` must live as long as the pool.
"""

import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from autonomy.domain.isolation import Rung
from autonomy.domain.states import ErrorClass
from autonomy.sessions import clock, errands
from autonomy.sessions.envelope import Envelope, contents
from autonomy.sessions.events import Call, Ended, Event, Loaded, Output, Started
from autonomy.sessions.isolation import Isolation
from autonomy.sessions.launch import Settings, ZygoteFailed, begun, end_group, ended
from autonomy.sessions.lookers import Looker, Lookers
from autonomy.sessions.orders import End, Order, Purpose
from autonomy.sessions.sources import Sources
from autonomy.sessions.switchboard import Switchboard
from autonomy.sessions.talk import Talk
from autonomy.sessions.wire import Message

__all__ = [
    "Call",
    "Ended",
    "Event",
    "Loaded",
    "Output",
    "SessionPool",
    "Started",
    "ZygoteFailed",
]


class SessionPool:
    """A zygote and its sessions."""

    def __init__(
        self,
        folders: tuple[Path, ...] = (),
        *,
        protected: tuple[Path, ...] = (),
        lease_seconds: float = 20,
        patience: float = 10,
        strongest: int = Rung.SYSCALLS,
    ) -> None:
        """What is loaded, and how strictly it is run.

        `protected` paths are outside every scope; `patience` is the time between SIGTERM and
        SIGKILL; `strongest` asks for no more than that level of isolation.
        """
        self.isolation: Isolation | None = None
        self.components: tuple[Loaded, ...] = ()
        self.problems: dict[str, str] = {}
        self._settings = Settings(folders, protected, lease_seconds, patience, strongest)
        self._talks: dict[UUID, Talk] = {}
        self._lookers = Lookers(self)
        self._sources = Sources({})
        self._process: subprocess.Popen[bytes] | None = None
        self._board: Switchboard | None = None

    def start(self, timeout: float = 30) -> None:
        """Begin the zygote and wait until it has loaded the modules; raises ZygoteFailed."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = begun(theirs.fileno(), self._settings)
        self._board = Switchboard(ours)
        until = clock.seconds() + timeout
        while not self._greeted():
            if not self.alive or clock.seconds() > until:
                why = f"did not load within {timeout:g} s" if self.alive else "ended while loading"
                self.close(timeout=0.1)
                raise ZygoteFailed(f"the zygote {why}")
            self._board.wait(0.5)

    @property
    def alive(self) -> bool:
        """Whether sessions can be spawned."""
        return self._board is not None and self._board.alive

    @property
    def pid(self) -> int:
        """The zygote's process; 0 before the start."""
        return self._process.pid if self._process else 0

    @property
    def sessions(self) -> frozenset[UUID]:
        """Those that were spawned and have not ended."""
        own = (key for key, talk in self._talks.items() if not isinstance(talk, Looker))
        return self._lookers.looks.union(own)

    @staticmethod
    def now() -> float:
        """The clock of leases."""
        return clock.seconds()

    def fileno(self) -> int:
        """Readable when `handle_ready` has something to do."""
        return self._switchboard.fileno()

    def spawn(self, order: Order, *, leased_at: float | None = None) -> None:
        """Have the order run. Its `Ended` comes in every case."""
        leased_at = self.now() if leased_at is None else leased_at
        if order.purpose is Purpose.DETECT:
            self._lookers.take(errands.look(order, leased_at=leased_at))
            return
        ours, theirs = socket.socketpair()
        self._connect(Talk(order, ours), theirs, leased_at)

    def renewed(self, ids: Iterable[UUID], *, at: float | None = None) -> None:
        """The leases were renewed by a statement sent `at` this time."""
        named = set(ids)
        all_of_them = [*map(str, named), *map(str, self._lookers.at_work_on(named))]
        news = {"ids": all_of_them, "at": self.now() if at is None else at}
        self.tell_zygote({"renewed": news})

    def cancel(self, session_id: UUID) -> None:
        """Have the session ended."""
        if session_id in self._lookers.looks:
            self._lookers.cancel(session_id)
        else:
            self.tell_zygote({"cancel": str(session_id)})

    def end(self, session_id: UUID, how: End, error: str, *, limit: str = "") -> None:
        """Have the session killed for something that its zygote cannot see."""
        kill = {"session_id": str(session_id), "ended": how, "limit": limit, "error": error}
        self.tell_zygote({"kill": kill})

    def answer(self, call: Call, result: Any = None) -> None:
        """Answer a call; of a session that has ended meanwhile, nobody hears it."""
        self._reply(call, {"result": result})

    def refuse(self, call: Call, kind: str, message: str) -> None:
        """Answer a call with an error."""
        self._reply(call, {"kind": kind, "error": message})

    def handle_ready(self) -> list[Event]:
        """Everything that has come, without waiting."""
        events: list[Event] = []
        for talk in self._switchboard.talking():
            events.extend(self._heard(talk))
        for message in self._switchboard.news():
            for name, told in message.items():
                events.extend(self._told(name, told))
        if not self.alive:
            events.extend(self._all_lost())
        events.extend(self._lookers.turn())
        return events

    def stale(self) -> bool:
        """Whether the sources of what is loaded have changed on disk."""
        return self._sources.changed()

    def close(self, timeout: float = 5) -> None:
        """End the zygote and with it every session."""
        for talk in self._talks.values():
            talk.channel.close()
        self._talks.clear()
        if self._board is not None:
            self._board.close()
        if self._process is not None:
            ended(self._process, timeout)

    # -- what lookers need

    def begin(self, order: Order, errand: errands.Errand) -> Looker:
        """A new looker."""
        ours, theirs = socket.socketpair()
        looker = Looker(order, ours, errand)
        self._connect(looker, theirs, self.now())
        return looker

    def tell(self, talk: Talk, message: Message) -> None:
        """Send to a session."""
        self._switchboard.tell(talk, message)

    def tell_zygote(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        """Send to the zygote."""
        self._switchboard.tell_zygote(message, fds)

    # -- inside

    @property
    def _switchboard(self) -> Switchboard:
        if self._board is None:
            raise ZygoteFailed("the pool was not started")
        return self._board

    def _connect(self, talk: Talk, theirs: socket.socket, leased_at: float) -> None:
        """Have a process begun; it is told what to do on its own socket."""
        order = talk.order
        self._talks[talk.session_id] = talk
        self._switchboard.add(talk)
        self.tell(talk, contents(order))
        envelope = Envelope.of(order, leased_at=leased_at)
        self.tell_zygote({"spawn": envelope.as_json()}, (theirs.detach(),))

    def _greeted(self) -> bool:
        """Take the zygote's first words."""
        for message in self._switchboard.news():
            news = message["loaded"]
            self.components = tuple(Loaded(**item) for item in news["components"])
            self.problems = news["problems"]
            self.isolation = Isolation.from_json(news["isolation"])
            self._sources = Sources({Path(p): v for p, v in news["packages"].items()})
            return True
        return False

    def _told(self, name: str, told: dict[str, Any]) -> Iterator[Event]:
        """What the zygote tells of a session."""
        talk = self._talks.get(UUID(told.pop("session_id")))
        if talk is None:
            return
        if name == "ended":
            yield from self._over(talk, told)
        elif name == "started":
            talk.pid = told["pid"]
            if not isinstance(talk, Looker):
                yield Started(talk.session_id, talk.pid)
        else:
            yield Output(_shown_as(talk), told["text"])

    def _over(self, talk: Talk, told: dict[str, Any]) -> Iterator[Ended]:
        report = talk.concluded(told)
        self._switchboard.drop(talk)
        talk.channel.close()
        del self._talks[talk.session_id]
        if isinstance(talk, Looker):
            self._lookers.ended(talk, report)
        else:
            yield Ended(talk.session_id, report)

    def _all_lost(self) -> Iterator[Ended]:
        lost = {"ended": End.LOST, "error_class": ErrorClass.LOST, "error": "the zygote is gone"}
        for talk in list(self._talks.values()):
            if talk.pid and self.isolation and not self.isolation.namespaces:
                end_group(talk.pid)
            yield from self._over(talk, dict(lost))

    def _heard(self, talk: Talk) -> Iterator[Call]:
        """What a session asks for; queries are for lookers."""
        for call in talk.heard():
            if call.name != "query":
                yield call
            elif talk.order.database_url:
                errand = errands.query(talk.order, call, leased_at=self.now(), reply=self._reply)
                self._lookers.take(errand)
            else:
                self.refuse(call, "permanent", "this session was given no database to look at")
        if isinstance(talk, Looker):
            self._lookers.heard(talk)
        if talk.broken:
            self.end(talk.session_id, End.FAILED, talk.broken)
        if talk.channel.closed:
            self._switchboard.drop(talk)

    def _reply(self, call: Call, answer: Message) -> None:
        talk = self._talks.get(call.session_id)
        if talk is not None:
            talk.waiting = False
            self.tell(talk, {"id": call.number, **answer})


def _shown_as(talk: Talk) -> UUID:
    """Output of a looker belongs to what it looks at."""
    return talk.errand.id if isinstance(talk, Looker) and talk.errand else talk.session_id
