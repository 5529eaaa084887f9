"""Components: put on the map as declared, changed, retired; paused and resumed by an operator."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from autonomy.systemmap.models import Component, Kind, Node
from autonomy.systemmap.selectors import nodes_alive
from ledger.domain import storable
from ledger.services import Fact, record

_COMPARED = ("version", "tier", "owner", "description", "declaration", "problem")
_LOADED_FROM_MODULES = (Kind.SKILL, Kind.DETECTOR)
_TURN = "autonomy.systemmap.sync"

Key = tuple[str, str]  # kind, name


@dataclass(frozen=True)
class Declared:
    """A component as a loaded module declares it."""

    kind: str
    name: str
    version: str = ""
    tier: int = 3
    owner: str = ""
    description: str = ""
    declaration: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Changes:
    """What a sync changed on the map: kind and name of each."""

    declared: tuple[Key, ...] = ()
    changed: tuple[Key, ...] = ()
    lowered: tuple[Key, ...] = ()
    retired: tuple[Key, ...] = ()


@transaction.atomic
def sync(components: Sequence[Declared], problems: Mapping[str, str], *, node: str) -> Changes:
    """Put on the map what a node has loaded, and a module that is broken with its traceback.

    What no live node has loaded any more is retired. The statements are the same for any number.
    """
    wanted = {(c.kind, c.name): c for c in (*components, *map(_broken, problems.items()))}
    _take_turns()
    known = {(c.kind, c.name): c for c in Component.objects.filter(kind__in={k for k, _ in wanted})}
    fresh = [key for key in wanted if key not in known or known[key].retired_at]
    changed = [key for key in wanted if key not in fresh and _differs(known[key], wanted[key])]
    lowered = [key for key in wanted if key in known and wanted[key].tier < known[key].tier]
    _write([wanted[key] for key in (*fresh, *changed)])
    _remember(node, wanted.values())
    retired = _retire(node, wanted)
    changes = Changes(tuple(fresh), tuple(changed), tuple(lowered), tuple(retired))
    _record(changes, wanted, known, actor=f"node:{node}")
    return changes


def pause_components(ids: Collection[UUID], *, by: str, reason: str = "") -> list[Component]:
    """Start no more work of these; answers with those that were not paused before."""
    return _set_paused(ids, paused=True, by=by, reason=reason)


def resume_components(ids: Collection[UUID], *, by: str, reason: str = "") -> list[Component]:
    """Let these work again; answers with those that were paused."""
    return _set_paused(ids, paused=False, by=by, reason=reason)


@transaction.atomic
def _set_paused(ids: Collection[UUID], *, paused: bool, by: str, reason: str) -> list[Component]:
    moved = list(Component.objects.filter(id__in=ids, paused=not paused).select_for_update())
    Component.objects.filter(id__in=[c.id for c in moved]).update(paused=paused)
    type_ = "component_paused" if paused else "component_resumed"
    record(*(_fact(type_, (c.kind, c.name), by, {"reason": reason}) for c in moved))
    return moved


def _broken(problem: tuple[str, str]) -> Declared:
    module, trace = problem
    return Declared(kind=Kind.SKILL, name=module[-200:], problem=storable.text(trace))


def _take_turns() -> None:
    """Nodes sync one after the other, so that each change is seen, and recorded, once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_TURN])


def _differs(known: Component, wanted: Declared) -> bool:
    return any(getattr(known, name) != getattr(wanted, name) for name in _COMPARED)


def _write(declared: Iterable[Declared]) -> None:
    rows = [Component(**asdict(d), declared_at=Now(), retired_at=None) for d in declared]
    Component.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["workspace_id", "kind", "name"],
        update_fields=[*_COMPARED, "declared_at", "retired_at"],
    )


def _remember(node: str, loaded: Iterable[Declared]) -> None:
    """Keep on the node which version of what it can run; a broken module has none."""
    loaded = list(loaded)
    Node.objects.filter(name=node).update(
        versions={c.name: c.version for c in loaded if c.kind == Kind.SKILL},
        detectors={c.name: c.version for c in loaded if c.kind == Kind.DETECTOR},
    )


def _retire(node: str, wanted: Collection[Key]) -> list[Key]:
    """Mark what neither this node nor any other live one has loaded."""
    loaded = set(wanted)
    for other in nodes_alive().exclude(name=node).only("versions", "detectors"):
        loaded |= {(Kind.SKILL.value, name) for name in other.versions}
        loaded |= {(Kind.DETECTOR.value, name) for name in other.detectors}
    rows = Component.objects.filter(kind__in=_LOADED_FROM_MODULES, retired_at=None)
    gone = {
        row.id: (row.kind, row.name)
        for row in rows.only("kind", "name")
        if (row.kind, row.name) not in loaded
    }
    if gone:
        Component.objects.filter(id__in=gone).update(retired_at=Now())
    return sorted(gone.values())


def _record(
    changes: Changes, wanted: Mapping[Key, Declared], known: Mapping[Key, Component], *, actor: str
) -> None:
    happened = {
        "component_declared": changes.declared,
        "component_changed": changes.changed,
        "component_tier_lowered": changes.lowered,
        "component_retired": changes.retired,
    }
    record(
        *(
            _fact(type_, key, actor, _difference(known.get(key), wanted.get(key)))
            for type_, keys in happened.items()
            for key in keys
        )
    )


def _difference(old: Component | None, new: Declared | None) -> dict[str, Any]:
    """Version and tier before and after, and whether the module is broken."""
    payload: dict[str, Any] = {}
    if new is not None:
        payload |= {"version": new.version, "tier": new.tier, "problem": new.problem[-2000:]}
    if old is not None:
        payload |= {"old_version": old.version, "old_tier": old.tier}
    return payload


def _fact(type_: str, key: Key, actor: str, payload: dict[str, Any]) -> Fact:
    kind, name = key
    return Fact(
        type=type_, stream="component", stream_id=f"{kind}:{name}", actor=actor, payload=payload
    )
