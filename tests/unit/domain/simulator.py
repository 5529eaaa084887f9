"""A platform in a virtual time: the real core decides, and made-up nodes work. No two runs differ.

Time is in seconds from 0. A pass is made `round_trip` after something changed, as by the engine.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from autonomy.domain.decide import deliberate
from autonomy.domain.priority import DEFAULT_WEIGHTS, MILLION, Weights
from autonomy.domain.scores import Decayed, folded
from autonomy.domain.world import NodeFacts, ReadyTask, Record, World
from firewall.domain.levels import Level

START = 1_790_000_000 * MILLION
SKILL = "work"


@dataclass
class Machine:
    """A node: how long a task takes on it, and whether it works at a time."""

    name: str
    slots: int = 2
    times: float = 1.0  # how much longer than its estimate a task takes
    works: Callable[[float], bool] = lambda _: True
    running: int = 0
    queue: deque[ReadyTask] = field(default_factory=deque)
    busy_seconds: float = 0.0
    most_queued: int = 0


@dataclass(frozen=True)
class Start:
    """A task that was dispatched: when, where, and as the how manieth of all."""

    at: float
    task: ReadyTask
    node: str
    number: int
    ready_number: int  # how many had been dispatched when it became ready


@dataclass
class Simulator:
    """Runs tasks through the core until a time."""

    machines: list[Machine]
    weights: Weights = DEFAULT_WEIGHTS
    round_trip: float = 0.0
    level: Level = Level.FULL
    now: float = 0.0
    starts: list[Start] = field(default_factory=list)
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _waiting: dict[str, tuple[ReadyTask, int]] = field(default_factory=dict)
    _scores: dict[str, tuple[Decayed, Decayed]] = field(default_factory=dict)
    _took: dict[str, Decayed] = field(default_factory=dict)
    _owed: dict[str, int] = field(default_factory=dict)
    _pass_due: bool = False
    _changed: bool = False
    _number: int = 0

    def arrive(self, at: float, name: str, *, estimate: float = 10.0, origin: str = "o") -> None:
        """A task becomes ready at a time."""

        def ready() -> None:
            task = ReadyTask(
                id=name, skill=SKILL, tier=1, origin=origin, estimate_seconds=estimate,
                ready_since=self._stamp(),
            )  # fmt: skip
            self._waiting[name] = task, len(self.starts)
            self._changed = True

        self._later(at, ready)

    def run(self, until: float) -> list[Start]:
        """Let the time pass; every dispatch so far."""
        while self._events and self._events[0][0] <= until:
            self.now = self._events[0][0]
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()
            if self._changed and not self._pass_due:
                self._changed, self._pass_due = False, True
                self._later(self.now + self.round_trip, self._pass)
        self.now = until
        return self.starts

    def share(self, node: str, since: float, until: float) -> float:
        """The share of the dispatches in a time that went to a node."""
        sent = Counter(start.node for start in self.starts if since <= start.at < until)
        return sent[node] / max(sum(sent.values()), 1)

    def _later(self, at: float, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, self._number, act))

    def _stamp(self) -> int:
        return START + round(self.now * MILLION)

    def _pass(self) -> None:
        self._pass_due = False
        made = deliberate(self._world(), self.weights)
        self._owed = dict(made.owed)
        by_name = {machine.name: machine for machine in self.machines}
        for decision in made.decisions:
            task, ready_number = self._waiting.pop(decision.task)
            number = len(self.starts)
            self.starts.append(Start(self.now, task, decision.node, number, ready_number))
            self._take(by_name[decision.node], task)

    def _take(self, machine: Machine, task: ReadyTask) -> None:
        if machine.running >= machine.slots:
            machine.queue.append(task)
            machine.most_queued = max(machine.most_queued, len(machine.queue))
            return
        machine.running += 1
        seconds = task.estimate_seconds * machine.times
        machine.busy_seconds += seconds
        verified = machine.works(self.now)
        self._later(self.now + seconds, lambda: self._finish(machine, seconds, task, verified))

    def _finish(self, machine: Machine, seconds: float, task: ReadyTask, verified: bool) -> None:
        machine.running -= 1
        self._changed = True
        value = min(task.estimate_seconds / seconds, 2.0) if verified else 0.0
        for name, worth in ((machine.name, value), ("", 0.0)):
            values, successes = self._scores.get(name, (Decayed(), Decayed()))
            self._scores[name] = (
                folded(values, worth, at=self.now), folded(successes, float(verified), at=self.now),
            )  # fmt: skip
        if verified:
            took = self._took.get(machine.name, Decayed())
            self._took[machine.name] = folded(took, seconds, at=self.now)
        if machine.queue:
            self._take(machine, machine.queue.popleft())

    def _world(self) -> World:
        return World(
            now=self._stamp(),
            tasks=tuple(task for task, _ in self._waiting.values()),
            nodes=tuple(map(self._facts, self.machines)),
            records=tuple(self._records()),
            level=self.level,
            owed=self._owed,
            round_trip_seconds=self.round_trip,
        )

    def _facts(self, machine: Machine) -> NodeFacts:
        took = self._took.get(machine.name, Decayed())
        return NodeFacts(
            name=machine.name,
            slots=machine.slots,
            in_use=machine.running,
            unclaimed=len(machine.queue),
            skills={SKILL: "v1"},
            mean_seconds=took.sum / took.weight if took.weight else 0.0,
        )

    def _records(self) -> Iterable[Record]:
        for name, (values, successes) in self._scores.items():
            at = START + round(values.at * MILLION)
            yield Record(SKILL, name, values.sum, successes.sum, values.weight, at)
