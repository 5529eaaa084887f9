"""Deciding a stored pass again, and with other weights (D-22)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autonomy.domain.decide import Decision, decide
from autonomy.domain.priority import Weights
from autonomy.domain.record import digest
from autonomy.domain.world import World, from_json, world_hash


@dataclass(frozen=True)
class Record:
    """A pass as it is stored, and what the ledger says of it."""

    world: Any
    world_hash: str
    decisions: Any
    owed: Any
    context: Any
    core: str
    digest: str  # empty for one that was made before records were hashed
    weights: Weights | None  # None where that version is gone or damaged
    told: frozenset[str] = frozenset()  # the hashes that its dispatches carry in the ledger


@dataclass(frozen=True)
class Replayed:
    """What came of it: the problems, or the decisions of another version of the code."""

    problems: tuple[str, ...] = ()
    other_core: bool = False  # the code has changed since, and now decides otherwise

    @property
    def equal(self) -> bool:
        """Whether it came out as it was stored."""
        return not self.problems and not self.other_core


def replayed(record: Record, core: str) -> Replayed:
    """Decide it again, and compare every byte that is kept of it."""
    altered = _altered(record)
    if record.weights is None:
        return Replayed((*altered, "its weights are gone or damaged"))
    try:
        world = from_json(record.world)
        again = decide(world, record.weights)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        return Replayed((*altered, f"its world cannot be read: {error!r}"))
    if record.digest and world_hash(world) != record.world_hash:
        altered = (*altered, "its world is not the one that was hashed")
    differs = _differs(record.decisions, again)
    if differs and not altered and record.core != core:
        return Replayed(other_core=True)
    return Replayed((*altered, *differs))


def _altered(record: Record) -> tuple[str, ...]:
    """What its own hash and the ledger's say against it."""
    if not record.digest and not record.told:
        return ()
    found = []
    if record.weights is not None and _digest(record, record.weights) != record.digest:
        found.append("its record is not the one that was hashed")
    if not record.told:
        found.append("the ledger does not know its hash")
    elif record.told != {record.digest}:
        found.append("the ledger knows it by another hash")
    return tuple(found)


def _digest(record: Record, weights: Weights) -> str:
    try:
        return digest(
            weights=weights.to_json(),
            world=record.world,
            decisions=record.decisions,
            owed=record.owed,
            context=record.context,
        )
    except (TypeError, ValueError):
        return ""


def _differs(stored: Any, again: Sequence[Decision]) -> tuple[str, ...]:
    found = [decision.to_json() for decision in again]
    plain = [{**row, "candidates": list(row["candidates"])} for row in found]
    if plain == stored:
        return ()
    if not isinstance(stored, list) or not all(isinstance(row, Mapping) for row in stored):
        return ("its decisions cannot be read",)
    then = [(row.get("task"), row.get("node")) for row in stored]
    now = [(row["task"], row["node"]) for row in plain]
    if then == now:
        return ("it decides the same for other reasons",)
    return (f"it decides otherwise: {_first_difference(then, now)}",)


def _first_difference(then: Sequence[tuple[Any, Any]], now: Sequence[tuple[Any, Any]]) -> str:
    for stored, again in zip(then, now, strict=False):
        if stored != again:
            return f"task {again[0]} to {again[1]}, stored is task {stored[0]} to {stored[1]}"
    return f"{len(now)} dispatches, stored are {len(then)}"


@dataclass(frozen=True)
class Ended:
    """How a task ended that was sent somewhere by a decision."""

    node: str
    verified: bool
    seconds: float


@dataclass
class Sum:
    """Some decisions, and what became of those that are known to have ended there."""

    decisions: int = 0
    ended: int = 0
    verified: int = 0
    seconds: float = 0.0
    likely: int = 0  # P(success) of the chosen nodes then, in millionths, summed

    def add(self, likely: int, ended: Ended | None) -> None:
        """One decision more."""
        self.decisions += 1
        self.likely += likely
        if ended is not None:
            self.ended += 1
            self.verified += ended.verified
            self.seconds += ended.seconds


@dataclass
class WhatIf:
    """What other weights would have chosen, and what the outcomes say of the choices made."""

    alike: Sum = field(default_factory=Sum)  # the same task to the same node
    moved: Sum = field(default_factory=Sum)  # as it was: the task went elsewhere with the others
    elsewhere: Sum = field(default_factory=Sum)  # the same as it would have been; nothing ended
    later: Sum = field(default_factory=Sum)  # the others would have sent it in a later pass
    earlier: int = 0  # and these instead

    def add(
        self, world: World, made: Sequence[Mapping[str, Any]], other: Weights,
        ended: Mapping[str, Ended],
    ) -> None:  # fmt: skip
        """Compare one pass."""
        would = {decision.task: decision for decision in decide(world, other)}
        for row in made:
            task, node = row["task"], row["node"]
            known = ended.get(task)
            outcome = known if known is not None and known.node == node else None
            likely = row["candidates"][0]["success"]
            instead = would.pop(task, None)
            if instead is None:
                self.later.add(likely, outcome)
            elif instead.node == node:
                self.alike.add(likely, outcome)
            else:
                self.moved.add(likely, outcome)
                self.elsewhere.add(instead.candidates[0].success, None)
        self.earlier += len(would)
