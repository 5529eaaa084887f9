"""Why a task that could be dispatched is not: the one reason that binds (D-5, D-21)."""

from collections.abc import Iterable, Mapping

from autonomy.domain.placement import Board, need_of, unavailable, unfit
from autonomy.domain.pricing import pricing
from autonomy.domain.priority import DEFAULT_WEIGHTS, MILLION, Weights
from autonomy.domain.reasons import Reason, Waiting
from autonomy.domain.standing import standing_in_the_way
from autonomy.domain.world import NodeFacts, ReadyTask, World

_NAMED = 3


def why_waiting(world: World, task: ReadyTask, weights: Weights = DEFAULT_WEIGHTS) -> Waiting:
    """The widest thing in the way: a stop or the level, then nodes, then other work."""
    return (
        standing_in_the_way(task, world)
        or _no_pool(world.nodes, task)
        or _no_node(world.nodes, task)
        or _behind(world, task, weights)
    )


def _no_pool(nodes: Iterable[NodeFacts], task: ReadyTask) -> Waiting | None:
    """A reason when no node that works takes the task's tier."""
    pool = [node for node in nodes if task.tier in node.tiers]
    standing = {node.name: why for node in pool if (why := unavailable(node))}
    if len(standing) < len(pool):
        return None
    words = f"no node takes tier {task.tier}"
    if standing:
        words = f"no node that takes tier {task.tier} is at work: {_listed(standing)}"
    return Waiting(Reason.TIER_POOL_EMPTY, words, {"tier": task.tier, "nodes": standing})


def _no_node(nodes: Iterable[NodeFacts], task: ReadyTask) -> Waiting | None:
    """A reason when every node lacks something."""
    lacking = {node.name: unfit(node, need_of(task)) for node in nodes}
    if not all(lacking.values()):
        return None
    words = f"no node can take it: {_listed(lacking)}"
    return Waiting(Reason.NO_CAPABLE_NODE, words, {"nodes": lacking})


def _listed(why: Mapping[str, str]) -> str:
    named = [f"{name} {lack}" for name, lack in sorted(why.items())]
    rest = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return "; ".join(named[:_NAMED]) + rest


def _behind(world: World, task: ReadyTask, weights: Weights) -> Waiting:
    """The place of the task among all that compete for the nodes that can take it."""
    capable = {node.name for node in world.nodes if not unfit(node, need_of(task))}
    priority = pricing(world.now, weights)
    place = (-priority(task), task.ready_since, task.id)
    rivals = _rivals(world, task, capable)
    ahead = sum((-priority(rival), rival.ready_since, rival.id) < place for rival in rivals)
    owed = {origin: turns for origin, turns in world.owed.items() if origin != task.origin}
    full = not Board(world, weights).open_to(need_of(task))
    details = {
        "rank": ahead + 1,
        "of": len(rivals) + 1,
        "priority": -place[0],
        "nodes": sorted(capable),
        "turns_owed_to_others": max(owed.values(), default=0),
    }
    return Waiting(Reason.PRIORITY, _in_line(ahead, len(rivals) + 1, place[0], full=full), details)


def _rivals(world: World, task: ReadyTask, capable: set[str]) -> list[ReadyTask]:
    """The other tasks that may run and can go to one of these nodes."""
    nodes = [node for node in world.nodes if node.name in capable]
    return [
        other
        for other in world.tasks
        if other.id != task.id
        and any(not unfit(node, need_of(other)) for node in nodes)
        and standing_in_the_way(other, world) is None
    ]


def _in_line(ahead: int, waiting: int, minus_priority: int, *, full: bool) -> str:
    place = f"{ahead} of {waiting} waiting tasks come first" if ahead else "it is first in line"
    slots = "the nodes that can take it are full" if full else "a slot is free for the next pass"
    return f"{place} (its priority is {-minus_priority / MILLION:.2f}); {slots}"
