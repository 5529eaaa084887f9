"""Nodes and components as listed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from autonomy.domain.states import LEASED
from autonomy.systemmap import selectors as systemmap
from autonomy.systemmap.models import Component, Node
from autonomy.tasks.models import Task


@dataclass(frozen=True)
class NodeLine:
    """One node: whether it lives, what it may run, how full it is."""

    name: str
    alive: bool
    paused: bool
    draining: bool
    tiers: list[int]
    slots: int
    busy: int
    labels: list[str]
    isolation: int
    components: int
    seen_at: datetime | None
    started_at: datetime | None


@dataclass(frozen=True)
class ComponentLine:
    """One part of the platform, and what is wrong with it; without an id it is not on the map."""

    id: UUID | None
    kind: str
    name: str
    tier: int
    owner: str
    description: str
    version: str
    paused: bool
    flags: list[str]
    last_verified_at: datetime | None


def nodes() -> list[NodeLine]:
    """Every node that ever joined, by name."""
    leased = Task.objects.filter(state__in=sorted(LEASED), lease_until__isnull=False).order_by()
    busy = dict(leased.values_list("node").annotate(n=Count("pk")))
    alive = set(systemmap.nodes_alive().values_list("pk", flat=True))
    return [
        _node(row, busy=busy.get(row.name, 0), alive=row.pk in alive)
        for row in Node.objects.order_by("name")
    ]


def components(*, kind: str = "") -> list[ComponentLine]:
    """The system map, by kind and name, each with its flags; then what is missing from it."""
    flags: dict[tuple[str, str], list[str]] = {}
    for flag in systemmap.shelfware(_running()):
        if kind in ("", flag.kind):
            flags.setdefault((flag.kind, flag.name), []).append(flag.words)
    rows = systemmap.components().order_by("kind", "name")
    if kind:
        rows = rows.filter(kind=kind)
    declared = [_component(row, flags.pop((row.kind, row.name), [])) for row in rows]
    return declared + [_missing(*key, words) for key, words in flags.items()]


def _running() -> set[str]:
    """The skills that sessions run now."""
    leased = Task.objects.filter(state__in=sorted(LEASED), lease_until__isnull=False).order_by()
    return set(leased.values_list("skill", flat=True).distinct())


def _missing(kind: str, name: str, flags: list[str]) -> ComponentLine:
    return ComponentLine(
        id=None, kind=kind, name=name, tier=3, owner="", description="", version="", paused=False,
        flags=flags, last_verified_at=None,
    )  # fmt: skip


def _node(row: Node, *, busy: int, alive: bool) -> NodeLine:
    return NodeLine(
        name=row.name,
        alive=alive,
        paused=row.paused,
        draining=row.draining,
        tiers=list(row.tiers),
        slots=row.slots,
        busy=busy,
        labels=list(row.labels),
        isolation=row.isolation,
        components=len(row.versions),
        seen_at=row.seen_at,
        started_at=row.started_at,
    )


def _component(row: Component, flags: list[str]) -> ComponentLine:
    return ComponentLine(
        id=row.id,
        kind=row.kind,
        name=row.name,
        tier=row.tier,
        owner=row.owner,
        description=row.description,
        version=row.version,
        paused=row.paused,
        flags=flags,
        last_verified_at=row.last_verified_at,  # type: ignore[attr-defined]
    )
