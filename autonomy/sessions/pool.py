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

import selectors
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from autonomy.domain.states import ErrorClass
from autonomy.sessions import clock
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.events import Call, Ended, Event, Loaded, Output, Started
from autonomy.sessions.isolation import Isolation
from autonomy.sessions.launch import Settings, ZygoteFailed, begun, end_group, ended
from autonomy.sessions.orders import End, Order
from autonomy.sessions.sources import Sources
from autonomy.sessions.talk import Talk
from autonomy.sessions.wire import BadMessage, Channel, Message

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

_LARGEST_NEWS = 16_000_000


class SessionPool:
    """A zygote and its sessions."""

    def __init__(
        self,
        folders: tuple[Path, ...] = (),
        *,
        protected: tuple[Path, ...] = (),
        lease_seconds: float = 20,
        patience: float = 10,
        strongest: int = 2,
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
        self._selector = selectors.DefaultSelector()
        self._sources = Sources({})
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None

    def start(self, timeout: float = 30) -> None:
        """Begin the zygote and wait until it has loaded the modules; raises ZygoteFailed."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = begun(theirs.fileno(), self._settings)
        self._channel = Channel(ours, largest=_LARGEST_NEWS)
        self._selector.register(self._channel, selectors.EVENT_READ)
        until = clock.seconds() + timeout
        while not self._greeted():
            if not self.alive or clock.seconds() > until:
                why = f"did not load within {timeout:g} s" if self.alive else "ended while loading"
                self.close(timeout=0.1)
                raise ZygoteFailed(f"the zygote {why}")
            self._selector.select(0.5)

    @property
    def alive(self) -> bool:
        """Whether sessions can be spawned."""
        return self._channel is not None and not self._channel.closed

    @property
    def pid(self) -> int:
        """The zygote's process; 0 before the start."""
        return self._process.pid if self._process else 0

    @property
    def sessions(self) -> frozenset[UUID]:
        """Those that were spawned and have not ended."""
        return frozenset(self._talks)

    @staticmethod
    def now() -> float:
        """The clock of leases."""
        return clock.seconds()

    def fileno(self) -> int:
        """Readable when `handle_ready` has something to do."""
        return self._selector.fileno()

    def spawn(self, order: Order, *, leased_at: float | None = None) -> None:
        """Have the order run. Its `Ended` comes in every case."""
        envelope = Envelope.of(order, leased_at=self.now() if leased_at is None else leased_at)
        ours, theirs = socket.socketpair()
        talk = Talk(order, ours)
        self._talks[order.session_id] = talk
        self._selector.register(talk.channel, selectors.EVENT_READ, talk)
        talk.channel.send(order.model_dump(mode="json"))
        self._listen(talk.channel, talk)
        self._send({"spawn": envelope.as_json()}, (theirs.detach(),))

    def renewed(self, ids: Iterable[UUID], *, at: float | None = None) -> None:
        """The leases were renewed by a statement sent `at` this time."""
        named = [str(session_id) for session_id in ids]
        self._send({"renewed": {"ids": named, "at": self.now() if at is None else at}})

    def cancel(self, session_id: UUID) -> None:
        """Have the session ended."""
        self._send({"cancel": str(session_id)})

    def answer(self, call: Call, result: Any = None) -> None:
        """Answer a call; of a session that has ended meanwhile, nobody hears it."""
        self._reply(call, {"id": call.number, "result": result})

    def refuse(self, call: Call, kind: str, message: str) -> None:
        """Answer a call with an error."""
        self._reply(call, {"id": call.number, "kind": kind, "error": message})

    def handle_ready(self) -> list[Event]:
        """Everything that has come, without waiting."""
        events: list[Event] = []
        for key, ready in self._selector.select(0):
            channel: Channel = key.fileobj  # type: ignore[assignment]
            if ready & selectors.EVENT_WRITE:
                channel.flush()
                self._listen(channel, key.data)
            if key.data is not None and ready & selectors.EVENT_READ:
                events.extend(self._heard(key.data))
        if self._channel is not None:
            events.extend(self._news(self._channel))
        return events

    def stale(self) -> bool:
        """Whether the sources of what is loaded have changed on disk."""
        return self._sources.changed()

    def close(self, timeout: float = 5) -> None:
        """End the zygote and with it every session."""
        for talk in self._talks.values():
            talk.channel.close()
        self._talks.clear()
        if self._channel is not None:
            self._channel.close()
        self._selector.close()
        if self._process is not None:
            ended(self._process, timeout)

    def _greeted(self) -> bool:
        """Take the zygote's first words."""
        for message in self._messages():
            news = message["loaded"]
            self.components = tuple(Loaded(**item) for item in news["components"])
            self.problems = news["problems"]
            self.isolation = Isolation.from_json(news["isolation"])
            self._sources = Sources({Path(p): v for p, v in news["packages"].items()})
            return True
        return False

    def _messages(self) -> Iterator[Message]:
        """What the zygote said; one that talks nonsense is taken for dead."""
        if self._channel is None:
            return
        try:
            yield from self._channel.receive()
        except BadMessage as error:
            sys.stderr.write(f"zygote: {error}\n")
            self._channel.closed = True

    def _news(self, channel: Channel) -> Iterator[Event]:
        for message in self._messages():
            for name, told in message.items():
                event = self._event(name, told)
                if event is not None:
                    yield event
        if channel.closed:
            yield from self._all_lost()

    def _event(self, name: str, told: dict[str, Any]) -> Event | None:
        session_id = UUID(told.pop("session_id"))
        talk = self._talks.get(session_id)
        if talk is None:
            return None
        if name == "started":
            talk.pid = told["pid"]
            return Started(session_id, talk.pid)
        if name == "output":
            return Output(session_id, told["text"])
        return self._over(talk, told)

    def _over(self, talk: Talk, told: dict[str, Any]) -> Ended:
        report = talk.concluded(told)
        self._deaf(talk)
        talk.channel.close()
        del self._talks[talk.session_id]
        return Ended(talk.session_id, report)

    def _all_lost(self) -> Iterator[Ended]:
        lost = {"ended": End.LOST, "error_class": ErrorClass.LOST, "error": "the zygote is gone"}
        for talk in list(self._talks.values()):
            if talk.pid and self.isolation and not self.isolation.namespaces:
                end_group(talk.pid)
            yield self._over(talk, dict(lost))

    def _heard(self, talk: Talk) -> list[Call]:
        calls = talk.heard()
        if talk.broken:
            self._send({"kill": {"session_id": str(talk.session_id), "error": talk.broken}})
        if talk.channel.closed:
            self._deaf(talk)
        return calls

    def _deaf(self, talk: Talk) -> None:
        """Stop listening to a session that has hung up, or was hung up on."""
        if talk.channel in self._selector.get_map():
            self._selector.unregister(talk.channel)

    def _reply(self, call: Call, answer: Message) -> None:
        talk = self._talks.get(call.session_id)
        if talk is not None:
            talk.channel.send(answer)
            self._listen(talk.channel, talk)

    def _send(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        if self._channel is None:
            raise ZygoteFailed("the pool was not started")
        self._channel.send(message, fds)
        self._listen(self._channel, None)

    def _listen(self, channel: Channel, talk: Talk | None) -> None:
        """Ask to be told of what can be read, and of room where something waits to be sent."""
        if channel not in self._selector.get_map():
            return
        wanted = selectors.EVENT_READ
        if channel.waiting:
            wanted |= selectors.EVENT_WRITE
        self._selector.modify(channel, wanted, talk)
