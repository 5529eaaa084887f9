"""The ready tasks in the order in which they may go: by priority, within the turns of origins."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter

from autonomy.domain.fairness import Turns
from autonomy.domain.placement import Board, Need, need_of
from autonomy.domain.pricing import Entry, foremost
from autonomy.domain.priority import Weights
from autonomy.domain.standing import standing_in_the_way, stopped_origins
from autonomy.domain.world import ReadyTask, World

_NOWHERE = 0

_alike = attrgetter(
    "skill",
    "version",
    "tier",
    "labels",
    "isolation",
    "purpose",
    "approved",
    "changes_nothing",
    "unplanned",
)


@dataclass(slots=True)
class Group:
    """Tasks of one origin that the same nodes can take, as a heap."""

    origin: str
    need: Need  # of any of them
    entries: list[Entry]
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
    # No group gives more than one pass can take; one more is kept as the next in line.
    most = min(board.room, weights.batch) + 1
    return [
        Group(origin, need_of(tasks[0]), foremost(tasks, most, world.now, weights))
        for (origin, _), tasks in _together(world, board).items()
    ]


def _together(world: World, board: Board) -> dict[tuple[str, int], list[ReadyTask]]:
    """The tasks by origin and by the number of the set of nodes that they can go to."""
    together: dict[tuple[str, int], list[ReadyTask]] = {}
    places: dict[tuple[object, ...], int] = {}
    numbers: dict[tuple[str, ...], int] = {(): _NOWHERE}
    stopped = stopped_origins(world)
    for kind, task in zip(map(_alike, world.tasks), world.tasks, strict=True):
        place = places.get(kind)
        if place is None:
            nodes = _nodes_for(task, world, board)
            place = places[kind] = numbers.setdefault(nodes, len(numbers))
        if place == _NOWHERE or task.origin in stopped:
            continue
        key = (task.origin, place)
        if key in together:
            together[key].append(task)
        else:
            together[key] = [task]
    return together


def _nodes_for(task: ReadyTask, world: World, board: Board) -> tuple[str, ...]:
    """The nodes with room for tasks like this one; none when a stop or the level is in the way."""
    if standing_in_the_way(task, world, of_origin=False) is not None:
        return ()
    return tuple(node.name for node in board.open_to(need_of(task)))
