"""Choosing: which ready tasks go to which nodes now (D-2 to D-6). Nothing here has a clock."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from autonomy.domain.ordering import Queue
from autonomy.domain.placement import Board, Candidate, Placement
from autonomy.domain.pricing import Entry
from autonomy.domain.priority import DEFAULT_WEIGHTS, MILLION, Parts, Weights, parts
from autonomy.domain.world import ReadyTask, World
from firewall.domain.levels import Level

_CAREFUL_SHARE = 2  # a careful engine dispatches half as many at a time


@dataclass(frozen=True)
class Decision:
    """One task goes to one node: why, and what else could have been."""

    task: str
    node: str
    score: int
    priority: int
    parts: Parts
    reason: str
    exploring: bool
    candidates: tuple[Candidate, ...]  # the chosen one first, then the next best
    candidates_in_all: int

    def to_json(self) -> dict[str, Any]:
        """The form kept with the pass and in the dispatch event."""
        row = asdict(self)
        for kept, candidate in zip(row["candidates"], self.candidates, strict=True):
            kept["reason"] = candidate.reason
        return row


@dataclass(frozen=True)
class Deliberation:
    """The decisions of one pass, and what to keep of it.

    `owed` goes into the next world. `essence` is the part of the world that the decisions depended
    on: it is small, and deciding on it again gives the same.
    """

    decisions: list[Decision]
    owed: dict[str, int]
    essence: World


def decide(world: World, weights: Weights = DEFAULT_WEIGHTS) -> list[Decision]:
    """The dispatches to make now, in order; the same world gives the same on every machine."""
    return deliberate(world, weights).decisions


def deliberate(world: World, weights: Weights = DEFAULT_WEIGHTS) -> Deliberation:
    """Fill the room of the nodes with the tasks that come first, a bounded number at a time."""
    board = Board(world, weights)
    queue = Queue(world, weights, board)
    decisions: list[Decision] = []
    for _ in range(min(board.room, _batch(world, weights))):
        entry = queue.take()
        if entry is None:
            break
        decisions.append(_dispatch(entry, board, world, weights))
    return Deliberation(decisions, queue.owed(), _essence(world, queue.looked_at()))


def _essence(world: World, tasks: tuple[ReadyTask, ...]) -> World:
    """The tasks that the choices depended on, and what is known of their skills."""
    skills = {task.skill for task in tasks}
    return replace(
        world,
        tasks=tasks,
        nodes=tuple(
            replace(node, skills={n: v for n, v in node.skills.items() if n in skills})
            for node in world.nodes
        ),
        records=tuple(record for record in world.records if record.skill in skills),
    )


def _batch(world: World, weights: Weights) -> int:
    """How many go in one pass; below full half as many, so that less is under way at a time."""
    return weights.batch if world.level is Level.FULL else max(1, weights.batch // _CAREFUL_SHARE)


def _dispatch(entry: Entry, board: Board, world: World, weights: Weights) -> Decision:
    task = entry[3]
    placement = board.place(task, -entry[0])
    chosen = placement.considered[0]
    made_of = parts_of(task, world.now, weights)
    return Decision(
        task=task.id,
        node=chosen.node,
        score=chosen.score,
        priority=made_of.total,
        parts=made_of,
        reason=_sentence(placement, made_of),
        exploring=placement.exploring,
        candidates=placement.considered,
        candidates_in_all=placement.in_all,
    )


def _sentence(placement: Placement, made_of: Parts) -> str:
    chosen, among = placement.considered[0], placement.in_all
    if among == 1:
        choice = f"{chosen.node} is the only node that can take it and has room"
    elif placement.exploring:
        choice = f"{chosen.node} is the least measured of {among} nodes, and this task explores"
    else:
        choice = f"{chosen.node} scores best of {among} nodes"
    return (
        f"{choice} ({chosen.reason}); its priority is {made_of.total / MILLION:.2f}: "
        f"{made_of.words()}."
    )


def parts_of(task: ReadyTask, now: int, weights: Weights) -> Parts:
    """What the task's priority is made of now."""
    return parts(
        dependents=task.dependents,
        critical=task.critical,
        estimate_seconds=task.estimate_seconds,
        waiting_microseconds=now - task.ready_since,
        hint=task.hint,
        weights=weights,
    )
