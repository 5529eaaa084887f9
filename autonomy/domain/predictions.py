"""What the engine expects, said beforehand so that it can be found wrong (D-18)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from autonomy.domain.decide import Decision
from autonomy.domain.priority import MILLION
from autonomy.domain.states import TERMINAL, State
from autonomy.domain.world import NodeFacts, Purpose, World

LIKELY = 900_000
"""From this P(success) on a task is expected to be done; below, only to be over."""

PATIENCE_SECONDS = 60.0
TIMES_ITS_ESTIMATE = 4.0
LONGEST_SECONDS = 86_400.0
ALIVE_SECONDS = 300
QUEUE_SECONDS = 60
QUEUE_SLACK = 50
SILENT_AFTER = 15 * MILLION
LATE = 30 * MILLION
"""A queue can only be counted while it is there: later than this, nobody can tell."""


class Kind(StrEnum):
    """What is predicted."""

    DONE = "task_done"  # with evidence that it worked
    OVER = "task_over"  # ended, or at least this attempt of it
    ALIVE = "node_alive"
    QUEUE = "queue_at_most"


@dataclass(frozen=True)
class Prediction:
    """What holds by when; `mark` is the fence or the incarnation it was said about."""

    kind: Kind
    subject: str
    by: int
    mark: str = ""
    bound: int = 0

    def words(self) -> str:
        """The prediction as a sentence without its time."""
        match self.kind:
            case Kind.DONE:
                return f"task {self.subject} is done"
            case Kind.OVER:
                return f"task {self.subject}, or this attempt of it, is over"
            case Kind.ALIVE:
                return f"node {self.subject} stays alive"
            case Kind.QUEUE:
                return f"at most {self.bound} tasks wait"


def of_pass(
    world: World, decisions: Sequence[Decision], epochs: dict[str, int]
) -> list[Prediction]:
    """About one task of a pass: however many there are, always the same one of them."""
    tasks = {task.id: task for task in world.tasks}
    runs = [d for d in decisions if tasks[d.task].purpose is Purpose.RUN and d.task in epochs]
    if not runs:
        return []
    chosen = min(runs, key=lambda decision: _hashed(decision.task))
    nodes = {node.name: node for node in world.nodes}
    seconds = horizon(tasks[chosen.task].estimate_seconds, nodes[chosen.node])
    if seconds > LONGEST_SECONDS:
        return []
    kind = Kind.DONE if chosen.candidates[0].success >= LIKELY else Kind.OVER
    by = world.now + round(seconds * MILLION)
    return [Prediction(kind, chosen.task, by, mark=str(epochs[chosen.task]))]


def horizon(estimate: float, node: NodeFacts) -> float:
    """Seconds within which a task given to this node should be over, by its estimate."""
    turns = 1 + (node.in_use + node.unclaimed) / max(node.slots, 1)
    return PATIENCE_SECONDS + TIMES_ITS_ESTIMATE * estimate * turns


def of_node(name: str, incarnation: str, now: int) -> Prediction:
    """That a node which lives now lives on for a while."""
    return Prediction(Kind.ALIVE, name, now + ALIVE_SECONDS * MILLION, mark=incarnation)


def of_queue(waiting: int, grew_per_second: float, now: int) -> Prediction:
    """How much waits a minute from now, if things go on as they went in the last one."""
    expected = max(0.0, waiting + grew_per_second * QUEUE_SECONDS)
    bound = round(expected * 1.5) + QUEUE_SLACK
    return Prediction(Kind.QUEUE, "", now + QUEUE_SECONDS * MILLION, bound=bound)


@dataclass(frozen=True)
class Seen:
    """What there is to see when a prediction is due. Times are microseconds."""

    now: int
    state: State | None = None
    epoch: int = 0
    ended_at: int | None = None
    level_changed: bool = False  # since it was made: a turn of the dial is no failure of the model
    incarnation: str = ""
    seen_at: int | None = None
    said_goodbye: bool = False  # the node left in order
    waiting: int = 0


def came_true(prediction: Prediction, seen: Seen) -> bool | None:
    """Whether it did; None where a person, or the time that went by, made it void."""
    match prediction.kind:
        case Kind.DONE | Kind.OVER:
            return _task_went(prediction, seen)
        case Kind.ALIVE:
            return _node_lives(prediction, seen)
        case Kind.QUEUE:
            return None if seen.now - prediction.by > LATE else seen.waiting <= prediction.bound


def _task_went(prediction: Prediction, seen: Seen) -> bool | None:
    in_time = seen.ended_at is not None and seen.ended_at <= prediction.by
    if seen.state is State.DONE:
        return in_time
    if seen.state in (None, State.CANCELLED) or seen.level_changed:
        return None
    if prediction.kind is Kind.DONE:
        return False
    return in_time if seen.state in TERMINAL else seen.epoch > int(prediction.mark)


def _node_lives(prediction: Prediction, seen: Seen) -> bool | None:
    if seen.incarnation == prediction.mark:
        return seen.seen_at is not None and seen.seen_at >= prediction.by - SILENT_AFTER
    return None if seen.said_goodbye else False


def differed(prediction: Prediction, seen: Seen) -> dict[str, Any]:
    """What was expected and what was seen, for whoever investigates."""
    told: dict[str, Any] = {"expected": prediction.words()}
    match prediction.kind:
        case Kind.DONE | Kind.OVER:
            late = None if seen.ended_at is None else (seen.ended_at - prediction.by) / MILLION
            told |= {"state": seen.state or "gone", "seconds_late": late, "epoch": seen.epoch}
        case Kind.ALIVE:
            since = None if seen.seen_at is None else (seen.now - seen.seen_at) / MILLION
            restarted = bool(seen.incarnation) and seen.incarnation != prediction.mark
            told |= {"silent_seconds": since, "restarted": restarted}
        case Kind.QUEUE:
            told |= {"waiting": seen.waiting, "bound": prediction.bound}
    return told


def _hashed(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()
