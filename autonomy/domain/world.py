"""What the engine knows when it decides: frozen, ordered, and the same after a trip through JSON.

Times are whole microseconds since 1970 by the database's clock.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from autonomy.domain.priority import LARGEST_HINT, MOST_DEPENDENTS, clean_hint
from autonomy.domain.reasons import Reason
from firewall.domain.levels import Level

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_ESTIMATE = 10.0**9
MOST_EVIDENCE = 10.0**12
"""More runs than fade into a record; beyond it the record says nothing."""
LONGEST_ROUND_TRIP = 60.0
ROUND_TRIP = 0.05
"""Seconds from a decision to the next one, where nobody measured."""

Row = TypeVar("Row")


class Purpose(StrEnum):
    """What a session of the task would be for."""

    RUN = "run"
    PREFLIGHT = "preflight"


@dataclass(frozen=True, slots=True)
class ReadyTask:
    """A task that may be dispatched now."""

    id: str
    skill: str
    tier: int
    origin: str
    ready_since: int
    estimate_seconds: float = 10.0
    dependents: int = 0
    critical: bool = False  # on the critical path of its part of the graph
    hint: float = 0.0
    purpose: Purpose = Purpose.RUN
    labels: tuple[str, ...] = ()  # which the node must have
    isolation: int = 0  # the least the node must offer
    version: str = ""  # of the skill, where only one will do
    siblings: str = ""  # shared by tasks that stand side by side, for example their parent
    approved: bool = False  # a person said yes to this action
    changes_nothing: bool = False
    unplanned: bool = False  # its skill has a pre-flight, and none was made of it
    failed_on: tuple[str, ...] = ()  # nodes of earlier attempts

    def __post_init__(self) -> None:
        if not 0 <= self.estimate_seconds <= LONGEST_ESTIMATE:
            object.__setattr__(self, "estimate_seconds", _bounded(self.estimate_seconds))
        if not 0 <= self.dependents <= MOST_DEPENDENTS:
            object.__setattr__(self, "dependents", min(max(self.dependents, 0), MOST_DEPENDENTS))
        if not abs(self.hint) <= LARGEST_HINT:
            object.__setattr__(self, "hint", clean_hint(self.hint))


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node as last seen."""

    name: str
    tiers: tuple[int, ...] = (1, 2, 3)
    labels: tuple[str, ...] = ()
    slots: int = 1
    in_use: int = 0
    unclaimed: int = 0  # dispatched to it and not yet claimed
    alive: bool = True
    paused: bool = False
    draining: bool = False
    unwell: str = ""  # why it is given nothing although it pings
    trial: bool = False  # it was unwell: one task at a time, until it takes one
    isolation: int = 0
    skills: Mapping[str, str] = field(default_factory=dict)  # loaded: name → version
    mean_seconds: float = 0.0  # how long its work has taken lately; 0 when unknown
    siblings: Mapping[str, int] = field(default_factory=dict)  # of what it runs: group → how many

    def __post_init__(self) -> None:
        if not 0 <= self.mean_seconds <= LONGEST_ESTIMATE:
            object.__setattr__(self, "mean_seconds", _bounded(self.mean_seconds))


@dataclass(frozen=True, slots=True)
class Record:
    """How a skill has done lately on a node, or anywhere where `node` is empty (D-12, D-13)."""

    skill: str
    node: str
    value_sum: float
    success_sum: float
    weight: float
    at: int

    def __post_init__(self) -> None:
        sums = (self.value_sum, self.success_sum, self.weight)
        if not all(0 <= amount <= MOST_EVIDENCE for amount in sums):  # also where one is no number
            for name in ("value_sum", "success_sum", "weight"):
                object.__setattr__(self, name, 0.0)


class Subject(StrEnum):
    """What a stop is about."""

    EVERYTHING = "everything"
    TIER = "tier"
    ORIGIN = "origin"
    SKILL = "skill"


@dataclass(frozen=True, slots=True)
class Stop:
    """Something that keeps a whole set of tasks from running now."""

    reason: Reason
    subject: Subject
    name: str = ""
    words: str = ""


@dataclass(frozen=True)
class World:
    """Everything a decision depends on, besides the weights.

    The order in which things were observed is no part of it: rows are kept sorted.
    """

    now: int
    tasks: tuple[ReadyTask, ...] = ()
    nodes: tuple[NodeFacts, ...] = ()
    records: tuple[Record, ...] = ()
    stops: tuple[Stop, ...] = ()
    level: Level = Level.FULL
    owed: Mapping[str, int] = field(default_factory=dict)  # origin → turns it is owed
    round_trip_seconds: float = (
        ROUND_TRIP  # from a decision to the next one that could fill a free slot
    )

    def __post_init__(self) -> None:
        if not 0 <= self.round_trip_seconds <= LONGEST_ROUND_TRIP:
            object.__setattr__(self, "round_trip_seconds", 0.0)
        _sort(self, "tasks", lambda task: task.id)
        _sort(self, "nodes", lambda node: node.name)
        _sort(self, "records", lambda record: (record.skill, record.node))
        _sort(self, "stops", lambda stop: (stop.subject, stop.name, stop.reason))


def _bounded(estimate: float) -> float:
    """An estimate that JSON can hold; one that is not a number is taken as very long."""
    return 0.0 if estimate < 0 else LONGEST_ESTIMATE


def _sort(world: World, name: str, key: Any) -> None:
    object.__setattr__(world, name, tuple(sorted(getattr(world, name), key=key)))


def microseconds(at: datetime) -> int:
    """A time as the world counts it."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def to_json(world: World) -> dict[str, Any]:
    """The world as values that JSON keeps exactly; what equals its default is left out."""
    return _row(world)


def from_json(data: Mapping[str, Any]) -> World:
    """The world that `to_json` wrote."""
    return World(
        **{
            **data,
            "tasks": tuple(_task(row) for row in data.get("tasks", ())),
            "nodes": tuple(_read(NodeFacts, row) for row in data.get("nodes", ())),
            "records": tuple(_read(Record, row) for row in data.get("records", ())),
            "stops": tuple(_stop(row) for row in data.get("stops", ())),
            "level": Level(data.get("level", Level.FULL)),
        }
    )


def world_hash(world: World) -> str:
    """The SHA-256 of the world."""
    return hashed(to_json(world))


def hashed(value: Any) -> str:
    """The SHA-256 of a JSON value: keys in order, no spaces, ASCII, no number that JSON lacks."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _row(item: Any) -> dict[str, Any]:
    return {
        column.name: _value(value)
        for column in fields(item)
        if (value := getattr(item, column.name)) != _default(column)
    }


def _value(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, Mapping):
        return dict(value)
    return _row(value) if dataclasses.is_dataclass(value) else value


def _default(column: "dataclasses.Field[Any]") -> Any:
    if column.default_factory is not MISSING:
        return column.default_factory()
    return column.default


def _read(kind: type[Row], row: Mapping[str, Any]) -> Row:
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})


def _task(row: Mapping[str, Any]) -> ReadyTask:
    return _read(ReadyTask, {**row, "purpose": Purpose(row.get("purpose", Purpose.RUN))})


def _stop(row: Mapping[str, Any]) -> Stop:
    kept = {"reason": Reason(row["reason"]), "subject": Subject(row["subject"])}
    return _read(Stop, {**row, **kept})
