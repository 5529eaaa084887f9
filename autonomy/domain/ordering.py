"""The ready tasks in the order in which they may go: by priority, within the turns of origins."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter

from autonomy.domain.fairness import Turns
from autonomy.domain.placement import Board, Need, need_of
from autonomy.domain.priority import MILLION, SHORTEST_SECONDS, Weights, waiting_part
from autonomy.domain.standing import standing_in_the_way, stopped_origins
from autonomy.domain.world import ReadyTask, World

Entry = tuple[int, int, str, ReadyTask]
"""Minus the priority, ready since, id: sorts by priority, then waiting, then id."""

_alike = attrgetter(
    "skill", "version", "tier", "labels", "isolation", "purpose", "approved", "changes_nothing"
)


@dataclass(slots=True)
class Group:
    """Tasks of one origin that the same nodes can take, as a heap."""

    origin: str
    need: Need  # of any of them
    entries: list[Entry] = field(default_factory=list)
    taken: list[Entry] = field(default_factory=list)
    dropped: bool = False  # no node has room for it any more

    @property
    def survived(self) -> bool:
        """Whether something of it still waited for its turn at the end."""
        return bool(self.entries) and not self.dropped

    def head(self) -> tuple[int, int, str]:
        """The place of the first task."""
        return self.entries[0][:3]


class Queue:
    """What waits, taken one by one; lives for one decision."""

    def __init__(self, world: World, weights: Weights, board: Board) -> None:
        self.turns = Turns(world.owed, weights.lead)
        self._board = board
        self._nodes_with_room = board.nodes_with_room
        self._groups = _grouped(world, weights, board)
        self._heads = [(group.head(), i) for i, group in enumerate(self._groups)]
        heapq.heapify(self._heads)
        self._needs = {group.need for group in self._groups}
        self._live = Counter(group.origin for group in self._groups)

    def take(self) -> Entry | None:
        """The next task that may go and that some node has room for."""
        self._drop_what_has_no_room()
        most_owed = self.turns.most_owed(self._live)
        passed_over = []
        taken = None
        while self._heads and taken is None:
            head = heapq.heappop(self._heads)
            if self.turns.may_go(self._groups[head[1]].origin, most_owed):
                taken = self._taken_from(head[1])
            else:
                passed_over.append(head)
        for head in passed_over:
            heapq.heappush(self._heads, head)
        return taken

    def owed(self) -> dict[str, int]:
        """The turns owed to origins of which something still waits."""
        return self.turns.owed({group.origin for group in self._groups if group.entries})

    def looked_at(self) -> tuple[ReadyTask, ...]:
        """The tasks that the choices depended on.

        Those taken, those next in line behind them, and for each origin that waited one that
        waited longest: taking turns depends on who waits.
        """
        survivors: dict[str, Group] = {}
        for group in self._groups:
            if group.survived and (group.taken or group.origin not in survivors):
                survivors[group.origin] = group
        return tuple(
            entry[3]
            for group in self._groups
            if group.taken or survivors.get(group.origin, group) is group
            for entry in (*group.taken, *group.entries[:1])
        )

    def _taken_from(self, index: int) -> Entry:
        group = self._groups[index]
        self.turns.take(group.origin, self._live)
        entry = heapq.heappop(group.entries)
        group.taken.append(entry)
        if group.entries:
            heapq.heappush(self._heads, (group.head(), index))
        else:
            self._leave(group)
        return entry

    def _drop_what_has_no_room(self) -> None:
        """Forget groups that no node has room for any more; rooms only shrink in a decision."""
        if self._nodes_with_room == self._board.nodes_with_room:
            return
        self._nodes_with_room = self._board.nodes_with_room
        closed = {need for need in self._needs if not self._board.open_to(need)}
        if not closed:
            return
        self._needs -= closed
        for _, index in self._heads:
            if self._groups[index].need in closed:
                self._drop(self._groups[index])
        self._heads = [head for head in self._heads if not self._groups[head[1]].dropped]
        heapq.heapify(self._heads)

    def _drop(self, group: Group) -> None:
        group.dropped = True
        self._leave(group)

    def _leave(self, group: Group) -> None:
        self._live[group.origin] -= 1
        if not self._live[group.origin]:
            del self._live[group.origin]


def _grouped(world: World, weights: Weights, board: Board) -> list[Group]:
    """The tasks that may run and have somewhere to go, grouped; in no order that matters."""
    groups: dict[tuple[str, int], Group] = {}
    places = _Places(world, board)
    priority = pricing(world.now, weights)
    for task in world.tasks:
        place = places.of(task)
        if place is None:
            continue
        group = groups.get((task.origin, place))
        if group is None:
            group = groups[task.origin, place] = Group(task.origin, need_of(task))
        group.entries.append((-priority(task), task.ready_since, task.id, task))
    for group in groups.values():
        heapq.heapify(group.entries)
    return list(groups.values())


class _Places:
    """Numbers the sets of nodes that tasks can go to: kinds of task with one set queue together."""

    def __init__(self, world: World, board: Board) -> None:
        self._world = world
        self._board = board
        self._stopped = stopped_origins(world)
        self._kinds: dict[tuple[object, ...], int | None] = {}
        self._numbers: dict[tuple[str, ...], int] = {}

    def of(self, task: ReadyTask) -> int | None:
        """The number of the nodes it can go to now; None when there are none or it may not run."""
        if task.origin in self._stopped:
            return None
        kind = _alike(task)
        if kind not in self._kinds:
            self._kinds[kind] = self._number(task)
        return self._kinds[kind]

    def _number(self, task: ReadyTask) -> int | None:
        nodes = tuple(node.name for node in self._board.open_to(need_of(task)))
        if not nodes or standing_in_the_way(task, self._world, of_origin=False) is not None:
            return None
        return self._numbers.setdefault(nodes, len(self._numbers))


def pricing(now: int, weights: Weights) -> Callable[[ReadyTask], int]:
    """A function from a task to its priority in millionths, quick enough for ten thousand."""
    per_dependent, for_critical, for_short = weights.millionths

    def priority(task: ReadyTask) -> int:
        seconds = task.estimate_seconds
        total = round(for_short / (seconds if seconds > SHORTEST_SECONDS else SHORTEST_SECONDS))
        total += per_dependent * task.dependents + waiting_part(now - task.ready_since, weights)
        if task.critical:
            total += for_critical
        return total + round(task.hint * MILLION) if task.hint else total

    return priority
