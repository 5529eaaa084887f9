"""What waits for what, and what led to what (D-7 to D-9, C-10).

A graph is given as `upstreams`: for each unfinished task, the tasks it waits for. What is not a key
has ended, or is outside of what was read, and counts for nothing.
"""

import math
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from typing import TypeVar

Task = TypeVar("Task", bound=Hashable)

_BITS = 4096  # counted at a time: keeps the bitsets of one huge component small
_LONGEST_SECONDS = 1e9
_TASK_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

LONGEST_CHAIN = 20
MOST_RETURNS = 3


class CycleRefused(ValueError):
    """Tasks would wait for each other; the message names them."""


def find_cycle(upstreams: Mapping[Task, Collection[Task]]) -> list[Task]:
    """Tasks that wait for each other, each for the next and the last for the first; or none."""
    settled: set[Task] = set()
    for start in upstreams:
        if start not in settled and (cycle := _cycle_from(start, upstreams, settled)):
            return cycle
    return []


def refuse_cycles(
    upstreams: Mapping[Task, Collection[Task]], name: Callable[[Task], str] = str
) -> None:
    """Raise CycleRefused when the edges, old and new together, close a circle."""
    if cycle := find_cycle(upstreams):
        rest = " which waits for ".join(f"{name(task)}," for task in cycle[1:])
        chain = f"{rest} which waits for " if rest else ""
        raise CycleRefused(f"{name(cycle[0])} waits for {chain}{name(cycle[0])}")


def _cycle_from(
    start: Task, upstreams: Mapping[Task, Collection[Task]], settled: set[Task]
) -> list[Task]:
    path: dict[Task, Iterator[Task]] = {start: iter(upstreams[start])}
    while path:
        task, waits_for = next(reversed(path.items()))
        for upstream in waits_for:
            if upstream in path:
                members = list(path)
                return members[members.index(upstream) :]
            if upstream in upstreams and upstream not in settled:
                path[upstream] = iter(upstreams[upstream])
                break
        else:
            settled.add(task)
            del path[task]
    return []


def ordered(upstreams: Mapping[Task, Collection[Task]]) -> list[Task]:
    """All tasks, each after those it waits for; raises CycleRefused."""
    below = downstreams_of(upstreams)
    missing = {task: len(_inside(ups, upstreams)) for task, ups in upstreams.items()}
    free = deque(task for task, count in missing.items() if not count)
    order: list[Task] = []
    while free:
        task = free.popleft()
        order.append(task)
        for downstream in below[task]:
            missing[downstream] -= 1
            if not missing[downstream]:
                free.append(downstream)
    if len(order) < len(upstreams):
        refuse_cycles(upstreams)
    return order


def downstreams_of(upstreams: Mapping[Task, Collection[Task]]) -> dict[Task, list[Task]]:
    """The same graph from the other end."""
    below: dict[Task, list[Task]] = {task: [] for task in upstreams}
    for task, ups in upstreams.items():
        for upstream in _inside(ups, upstreams):
            below[upstream].append(task)
    return below


def _inside(tasks: Collection[Task], graph: Mapping[Task, Collection[Task]]) -> set[Task]:
    return {task for task in tasks if task in graph}


def reachable(start: Task, steps: Mapping[Task, Collection[Task]]) -> set[Task]:
    """All that can be reached from a task, without itself."""
    seen: set[Task] = set()
    left = [start]
    while left:
        for task in steps.get(left.pop(), ()):
            if task not in seen and task in steps:
                seen.add(task)
                left.append(task)
    return seen


def dependents(upstreams: Mapping[Task, Collection[Task]]) -> dict[Task, int]:
    """How many unfinished tasks cannot run before each one has: the full recount."""
    counts: dict[Task, int] = {}
    for part in parts_of_graph(upstreams):
        counts.update(_dependents_in(part))
    return counts


def _dependents_in(part: Mapping[Task, Collection[Task]]) -> dict[Task, int]:
    """Counts by bitsets: below a task is all that is below those that wait for it."""
    order = ordered(part)[::-1]
    place = {task: i for i, task in enumerate(order)}
    below = [[place[down] for down in downs] for downs in _in_order(order, downstreams_of(part))]
    counts = [0] * len(order)
    for first in range(0, len(order), _BITS):
        for i, mask in enumerate(_masks(below, range(first, first + _BITS))):
            counts[i] += mask.bit_count()
    return dict(zip(order, counts, strict=True))


def _in_order(order: list[Task], graph: Mapping[Task, list[Task]]) -> Iterator[list[Task]]:
    return (graph[task] for task in order)


def _masks(below: list[list[int]], counted: range) -> list[int]:
    """For each task the bits of those in the range that are below it."""
    masks: list[int] = []
    for downs in below:
        mask = 0
        for down in downs:
            mask |= masks[down]
            if down in counted:
                mask |= 1 << (down - counted.start)
        masks.append(mask)
    return masks


def parts_of_graph(
    upstreams: Mapping[Task, Collection[Task]],
) -> list[dict[Task, Collection[Task]]]:
    """The connected parts, each as a graph of its own."""
    sides: defaultdict[Task, list[Task]] = defaultdict(list)
    for task, ups in upstreams.items():
        for upstream in _inside(ups, upstreams):
            sides[task].append(upstream)
            sides[upstream].append(task)
    parts, seen = [], set[Task]()
    for task in upstreams:
        if task not in seen:
            members = {task} | reachable(task, sides)
            seen |= members
            parts.append({member: upstreams[member] for member in members})
    return parts


def critical(
    upstreams: Mapping[Task, Collection[Task]], estimates: Mapping[Task, float]
) -> frozenset[Task]:
    """The tasks on a longest path of their connected part; a task on its own is on none.

    Estimates are in seconds, compared in whole microseconds. Paths of equal length all count.
    """
    took = {task: _microseconds(estimates[task]) for task in upstreams}
    found: set[Task] = set()
    for part in parts_of_graph(upstreams):
        if len(part) > 1:
            found |= _critical_in(part, took)
    return frozenset(found)


def _microseconds(seconds: float) -> int:
    bounded = min(max(seconds, 0.0), _LONGEST_SECONDS) if not math.isnan(seconds) else 0.0
    return round(bounded * 1_000_000)


def _critical_in(part: Mapping[Task, Collection[Task]], took: Mapping[Task, int]) -> set[Task]:
    order, below = ordered(part), downstreams_of(part)
    until: dict[Task, int] = {}
    after: dict[Task, int] = {}
    for task in order:
        until[task] = took[task] + max((until[up] for up in _inside(part[task], part)), default=0)
    for task in reversed(order):
        after[task] = max((took[down] + after[down] for down in below[task]), default=0)
    longest = max(until.values())
    return {task for task in part if until[task] + after[task] == longest}


def gained(
    new: Mapping[Task, Collection[Task]], upstreams: Mapping[Task, Collection[Task]]
) -> Counter[Task]:
    """By how much counts grow when tasks are added that no older task waits for.

    `upstreams` need hold no more than what is above the new ones.
    """
    graph: dict[Task, Collection[Task]] = {**upstreams, **new}
    return Counter(ancestor for task in new for ancestor in reachable(task, graph))


def gained_by_edge(
    upstream: Task, downstream: Task, upstreams: Mapping[Task, Collection[Task]]
) -> dict[Task, int]:
    """By how much counts grow when a task shall wait for one more; raises CycleRefused."""
    below = downstreams_of(upstreams)
    added = {downstream} | reachable(downstream, below)
    refuse_cycles({**upstreams, downstream: [*upstreams[downstream], upstream]})
    above = {upstream} | reachable(upstream, upstreams)
    already = {task: reachable(task, below) for task in above}
    return _without_zeros({task: len(added - known) for task, known in already.items()})


def lost(ended: Collection[Task], upstreams: Mapping[Task, Collection[Task]]) -> dict[Task, int]:
    """By how much counts shrink when tasks end before what they wait for has.

    What waited for one of the ended is then no longer behind the tasks that it waited for.
    """
    below = downstreams_of(upstreams)
    left = {task: downs for task, downs in below.items() if task not in ended}
    above = {up for task in ended for up in reachable(task, upstreams)}.difference(ended)
    counts = {task: len(reachable(task, below)) - len(reachable(task, left)) for task in above}
    return _without_zeros(counts)


def _without_zeros(counts: Mapping[Task, int]) -> dict[Task, int]:
    return {task: count for task, count in counts.items() if count}


class ChainTooLong(ValueError):
    """A chain of causes does not come to an end by itself (C-10)."""


class CausesItself(ChainTooLong):
    """A component keeps causing itself."""


def check_chain(chain: Collection[str]) -> None:
    """Judge a chain of causes, oldest first, the task itself last; raises ChainTooLong.

    A link is `component:task id`, or the name of what is not a task: `person:ann`.
    """
    if len(chain) > LONGEST_CHAIN:
        raise ChainTooLong(f"{len(chain)} causes in a row; {LONGEST_CHAIN} is the most")
    for component, times in Counter(map(component_of, chain)).items():
        if times > MOST_RETURNS + 1:
            raise CausesItself(
                f"{component} would cause itself {times - 1} times; {MOST_RETURNS} is the most"
            )


def component_of(link: str) -> str:
    """The component of a link in a chain of causes."""
    component, _, task_id = link.rpartition(":")
    return component if component and _TASK_ID.fullmatch(task_id) else link
