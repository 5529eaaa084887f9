"""The priorities of many ready tasks at once: the formula of priority.py, made quick."""

import heapq
from collections.abc import Callable, Sequence
from math import log1p

from autonomy.domain.priority import (
    MICROSECONDS_PER_MINUTE,
    MILLION,
    SHORTEST_SECONDS,
    Weights,
    waiting_part,
)
from autonomy.domain.world import ReadyTask

Entry = tuple[int, int, str, ReadyTask]
"""Minus the priority, ready since, id: sorts by priority, then waiting, then id."""

_NEAR = 8.0  # millionths: more than the parts can lose by rounding


def pricing(now: int, weights: Weights) -> Callable[[ReadyTask], int]:
    """A function from a task to its priority in millionths."""
    per_dependent, for_critical, for_short = weights.millionths

    def priority(task: ReadyTask) -> int:
        seconds = task.estimate_seconds
        total = round(for_short / (seconds if seconds > SHORTEST_SECONDS else SHORTEST_SECONDS))
        total += per_dependent * task.dependents + waiting_part(now - task.ready_since, weights)
        if task.critical:
            total += for_critical
        return total + round(task.hint * MILLION) if task.hint else total

    return priority


def foremost(tasks: Sequence[ReadyTask], most: int, now: int, weights: Weights) -> list[Entry]:
    """A heap of at least the `most` tasks that come first, or of all where there are fewer."""
    priority = pricing(now, weights)
    entries = [
        (-priority(task), task.ready_since, task.id, task)
        for task in (_near_the_top(tasks, most, now, weights) if len(tasks) > 2 * most else tasks)
    ]
    heapq.heapify(entries)
    return entries


def _near_the_top(
    tasks: Sequence[ReadyTask], most: int, now: int, weights: Weights
) -> list[ReadyTask]:
    """The tasks that may be among the first `most`, found by unrounded priorities."""
    prices = _unrounded(tasks, now, weights)
    least = heapq.nlargest(most, prices)[-1] - _NEAR
    return [task for task, price in zip(tasks, prices, strict=True) if price >= least]


def _unrounded(tasks: Sequence[ReadyTask], now: int, weights: Weights) -> list[float]:
    per_dependent, for_critical, for_short = weights.millionths
    for_waiting = weights.waiting * MILLION
    return [
        per_dependent * task.dependents
        + (for_critical if task.critical else 0)
        + for_short / max(task.estimate_seconds, SHORTEST_SECONDS)
        + task.hint * MILLION
        + for_waiting * log1p(max(now - task.ready_since, 0) / MICROSECONDS_PER_MINUTE)
        for task in tasks
    ]
