"""Which node a task goes to: who can, who has room, who would do best (D-3, D-4, D-5, D-14)."""

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from typing import NamedTuple

from autonomy.domain.isolation import told
from autonomy.domain.priority import MILLION, Weights
from autonomy.domain.scores import Evidence, decay, speed, success
from autonomy.domain.world import NodeFacts, ReadyTask, Record, World
from firewall.domain.levels import Level

CONSIDERED = 8
LEAST_VALUE = 1.0
LONGEST_LOSS_MINUTES = 60.0
OTHER_NODE = 3.0  # how much a failed attempt on a node speaks for another one


class Need(NamedTuple):
    """What a task asks of a node; tasks of one need are placed alike."""

    skill: str
    version: str
    tier: int
    labels: tuple[str, ...]
    isolation: int


_needed = attrgetter("skill", "version", "tier", "labels", "isolation")


def need_of(task: ReadyTask) -> Need:
    """What this task asks of a node."""
    return Need._make(_needed(task))


def unfit(node: NodeFacts, need: Need) -> str:
    """Why the node cannot take such a task, in words; empty when it can."""
    if standing := unavailable(node):
        return standing
    if need.tier not in node.tiers:
        return f"does not take tier {need.tier}"
    if missing := [label for label in need.labels if label not in node.labels]:
        return f"lacks the label {', '.join(missing)}"
    if need.skill not in node.skills:
        return f"has not loaded {need.skill}"
    if need.version and node.skills[need.skill] != need.version:
        return f"has another version of {need.skill}"
    if node.isolation < need.isolation:
        least = told(need.isolation)
        return f"offers isolation {told(node.isolation)}, {least} is needed: see `autonomy doctor`"
    return ""


def unavailable(node: NodeFacts) -> str:
    """Why the node takes no work at all, in words; empty when it does."""
    if not node.alive:
        return "is not alive"
    if node.paused:
        return "is paused"
    return "is draining" if node.draining else node.unwell


def window(node: NodeFacts, world: World, weights: Weights) -> int:
    """How many tasks beyond its slots keep the node busy until the next decision reaches it."""
    if node.mean_seconds <= 0:
        return 0
    wanted = node.slots * world.round_trip_seconds / node.mean_seconds
    bounded = int(min(wanted, node.slots * weights.window_per_slot))
    return bounded if world.level is Level.FULL else bounded // 2


def room_of(node: NodeFacts, world: World, weights: Weights) -> int:
    """How many more tasks it may be given now; one that is on trial gets a single one."""
    if node.trial:
        return int(node.in_use < node.slots and not node.unclaimed)
    return max(0, node.slots + window(node, world, weights) - node.in_use - node.unclaimed)


def has_room(node: NodeFacts, world: World, weights: Weights) -> bool:
    """Whether it could be given a task now."""
    return not unavailable(node) and room_of(node, world, weights) > 0


_Ranking = tuple[int, int, str, float, float, float, int, int]
"""Minus the score, load, node; then P(success), value, cost, siblings and failures there."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that could take the task now, and what speaks for it; all parts in millionths."""

    node: str
    score: int
    success: int
    value: int
    cost: int
    note: str = ""

    @classmethod
    def of(cls, ranking: _Ranking) -> "Candidate":
        """The candidate that was ranked."""
        score, _, node, likely, value, cost, beside, failures = ranking
        return cls(
            node=node,
            score=-score,
            success=round(likely * MILLION),
            value=round(value * MILLION),
            cost=round(cost * MILLION),
            note=_note(beside, failures),
        )

    @property
    def reason(self) -> str:
        """The parts in words."""
        success = self.success / MILLION
        return (
            f"{success:.0%} likely to succeed, worth {self.value / MILLION:.2f}; "
            f"a failure would cost {self.cost / MILLION:.2f}{self.note}"
        )


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a task went: the chosen candidate first, then the next best."""

    considered: tuple[Candidate, ...]
    in_all: int
    exploring: bool


class Board:
    """The nodes with their room, filled up as one decision goes on."""

    def __init__(self, world: World, weights: Weights) -> None:
        self._weights = weights
        self._now = world.now
        self._nodes = world.nodes
        self._records = {(record.skill, record.node): record for record in world.records}
        self._used = {node.name: node.in_use + node.unclaimed for node in world.nodes}
        self._room = {node.name: room_of(node, world, weights) for node in world.nodes}
        self._siblings = {node.name: Counter(node.siblings) for node in world.nodes}
        self._open: dict[Need, tuple[int, list[NodeFacts]]] = {}
        self._evidence: dict[tuple[str, str], Evidence] = {}
        self._prospects: dict[tuple[str, str], tuple[float, float]] = {}
        self.room = sum(self._room.values())
        self.nodes_with_room = sum(room > 0 for room in self._room.values())

    def open_to(self, need: Need) -> list[NodeFacts]:
        """The nodes that can take such a task and have room for it, in order of name."""
        known = self._open.get(need)
        if known is not None and known[0] == self.nodes_with_room:
            return known[1]
        fit = self._fit(need) if known is None else known[1]
        still = [node for node in fit if self._room[node.name] > 0]
        self._open[need] = (self.nodes_with_room, still)
        return still

    def _fit(self, need: Need) -> list[NodeFacts]:
        return [node for node in self._nodes if not unfit(node, need)]

    def place(self, task: ReadyTask, priority: int) -> Placement:
        """Give the task to the best node, or to the least measured one when it explores."""
        nodes = self.open_to(need_of(task))
        ranked = sorted(self._candidate(task, priority, node) for node in nodes)
        exploring = len(nodes) > 1 and explores(task.id, self._weights.exploration)
        if exploring:
            ranked.sort(key=lambda candidate: self._unmeasured(task, candidate[2]))
        self._take(task, ranked[0][2])
        considered = tuple(Candidate.of(ranking) for ranking in ranked[:CONSIDERED])
        return Placement(considered, len(ranked), exploring)

    def _take(self, task: ReadyTask, node: str) -> None:
        self.room -= 1
        self._room[node] -= 1
        self.nodes_with_room -= self._room[node] == 0
        self._used[node] += 1
        if task.siblings:
            self._siblings[node][task.siblings] += 1

    def _candidate(self, task: ReadyTask, priority: int, node: NodeFacts) -> _Ranking:
        """Score = P(success) · value less P(failure) · cost; sorts by score, load and name."""
        weights, name = self._weights, node.name
        likely, node_score = self._prospect(task.skill, name)
        used = self._used[name]
        share = 1 + weights.crowding * used / max(node.slots, 1)
        beside = self._siblings[name][task.siblings] if task.siblings else 0
        failures = task.failed_on.count(name)
        share *= (1 + weights.spread * beside) * (1 + OTHER_NODE * failures)
        value = max(priority / MILLION, LEAST_VALUE) * node_score / share
        cost = weights.failure_cost * min(task.estimate_seconds / 60, LONGEST_LOSS_MINUTES)
        score = round((likely * value - (1 - likely) * cost) * MILLION)
        return -score, used, name, likely, value, cost, beside, failures

    def _prospect(self, skill: str, node: str) -> tuple[float, float]:
        """P(success) and the node score."""
        known = self._prospects.get((skill, node))
        if known is None:
            here, anywhere = self._evidence_of(skill, node), self._evidence_of(skill, "")
            known = success(anywhere, here, self._weights), speed(here, self._weights)
            self._prospects[skill, node] = known
        return known

    def _evidence_of(self, skill: str, node: str) -> Evidence:
        known = self._evidence.get((skill, node))
        if known is None:
            known = self._evidence[skill, node] = self._faded(self._records.get((skill, node)))
        return known

    def _faded(self, record: Record | None) -> Evidence:
        if record is None:
            return Evidence()
        factor = decay((self._now - record.at) / MILLION, self._weights.half_life_seconds)
        return Evidence(
            record.value_sum * factor, record.success_sum * factor, record.weight * factor
        )

    def _unmeasured(self, task: ReadyTask, node: str) -> tuple[int, int, str]:
        """Least evidence first; among equals, another order for each task."""
        evidence = self._evidence_of(task.skill, node)
        return round(evidence.weight * MILLION), _hashed(f"{task.id} {node}"), node


def explores(task_id: str, share: float) -> bool:
    """Whether this task is one of the share that measures nodes instead of using the best."""
    return _hashed(task_id) % MILLION < round(share * MILLION)


def _hashed(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _note(beside: int, failures: int) -> str:
    notes = [f"{beside} beside it there"] if beside else []
    if failures:
        notes.append("an earlier attempt failed there")
    return "".join(f"; {note}" for note in notes)
