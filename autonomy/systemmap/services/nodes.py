"""Nodes: joining, staying, leaving; paused, resumed and drained by an operator."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from autonomy.systemmap.models import Node
from autonomy.systemmap.selectors import ALIVE_FOR
from ledger.domain.ids import new_id
from ledger.services import Fact, add_node_time, record


class Replaced(Exception):
    """Another process has taken the name, or the node has left: what this one sends is refused."""


@dataclass(frozen=True)
class NodeFacts:
    """What a node says about itself when it starts."""

    name: str
    tiers: Sequence[int]
    slots: int
    labels: Sequence[str] = ()
    isolation: int = 0
    pid: int | None = None


@dataclass(frozen=True)
class Standing:
    """What an operator asked of a node."""

    paused: bool
    draining: bool


_BEAT = """
WITH before AS (
    SELECT id, seen_at FROM systemmap_node
    WHERE name = %(node)s AND incarnation = %(incarnation)s FOR NO KEY UPDATE
)
UPDATE systemmap_node n SET
    seen_at = now(), claimed_at = CASE WHEN %(claimed)s THEN now() ELSE claimed_at END
FROM before WHERE n.id = before.id
RETURNING paused, draining, slots, extract(epoch FROM now() - before.seen_at)::float8
"""


@transaction.atomic
def register(facts: NodeFacts) -> UUID:
    """Put a node on the map; its new incarnation shuts out any process that had the name before."""
    incarnation = new_id()
    row = Node(
        name=facts.name,
        tiers=sorted(facts.tiers),
        slots=facts.slots,
        labels=sorted(facts.labels),
        isolation=facts.isolation,
        pid=facts.pid,
        incarnation=incarnation,
        draining=False,
        started_at=Now(),
        seen_at=Now(),
    )
    Node.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["workspace_id", "name"],
        update_fields=[
            "tiers", "slots", "labels", "isolation", "pid", "incarnation", "draining",
            "started_at", "seen_at",
        ],
    )  # fmt: skip
    payload = {
        "incarnation": str(incarnation),
        "tiers": row.tiers,
        "slots": row.slots,
        "isolation": row.isolation,
    }
    record(_fact("node_joined", facts.name, f"node:{facts.name}", payload))
    return incarnation


@transaction.atomic
def beat(
    node: str, incarnation: UUID, *, claimed: bool = False, busy_seconds: float = 0.0
) -> Standing:
    """Say that the node lives, whether it took work, how long slots were in use; raises Replaced.

    What lies between two beats counts as lived while the node was taken to be alive.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, {"node": node, "incarnation": incarnation, "claimed": claimed})
        row = cursor.fetchone()
    if row is None:
        raise Replaced(f"node {node} is no longer held by incarnation {incarnation}")
    paused, draining, slots, since = row
    alive_for = min(since or 0.0, ALIVE_FOR.total_seconds())
    add_node_time(node, alive_seconds=alive_for, slots=slots, busy_seconds=busy_seconds)
    return Standing(paused, draining)


@transaction.atomic
def leave(node: str, incarnation: UUID) -> None:
    """The node is going: it is given nothing more; raises Replaced."""
    left = Node.objects.filter(name=node, incarnation=incarnation).update(
        incarnation=None, draining=False, pid=None
    )
    if not left:
        raise Replaced(f"node {node} is no longer held by incarnation {incarnation}")
    record(_fact("node_left", node, f"node:{node}", {"incarnation": str(incarnation)}))


def pause_nodes(ids: Collection[UUID], *, by: str, reason: str = "") -> list[Node]:
    """Give these no more work; answers with those that were not paused before."""
    return _set("paused", ids, value=True, type_="node_paused", by=by, reason=reason)


def resume_nodes(ids: Collection[UUID], *, by: str, reason: str = "") -> list[Node]:
    """Give these work again, drained or paused; answers with those that changed."""
    resumed = _set("paused", ids, value=False, type_="node_resumed", by=by, reason=reason)
    undrained = _set("draining", ids, value=False, type_="node_undrained", by=by, reason=reason)
    return list({node.id: node for node in (*resumed, *undrained)}.values())


def drain_nodes(ids: Collection[UUID], *, by: str, reason: str = "") -> list[Node]:
    """Let these finish what they have and take nothing new; answers with those that changed."""
    return _set("draining", ids, value=True, type_="node_draining", by=by, reason=reason)


@transaction.atomic
def _set(
    field: str, ids: Collection[UUID], *, value: bool, type_: str, by: str, reason: str
) -> list[Node]:
    moved = list(Node.objects.filter(id__in=ids, **{field: not value}).select_for_update())
    Node.objects.filter(id__in=[node.id for node in moved]).update(**{field: value})
    record(*(_fact(type_, node.name, by, {"reason": reason}) for node in moved))
    return moved


def _fact(type_: str, node: str, actor: str, payload: dict[str, object]) -> Fact:
    return Fact(type=type_, stream="node", stream_id=node, actor=actor, payload=payload)
