"""Stored passes, decided again one after the other (D-22)."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from autonomy.domain.priority import DEFAULT_WEIGHTS, BadWeights, Weights, weights_from
from autonomy.domain.replay import Ended, Record, WhatIf, replayed
from autonomy.domain.world import from_json
from autonomy.engine.models import Pass
from autonomy.engine.models import Weights as WeightsRow
from autonomy.engine.selectors.core import core_version
from ledger.models import Event, Outcome

BATCH = 200
MOST_TOLD = 100

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Different:
    """A pass that came out otherwise than it was stored."""

    id: UUID
    at: datetime
    problems: tuple[str, ...]


@dataclass
class Replay:
    """What deciding again has shown; `different` names the first hundred."""

    passes: int = 0
    dispatches: int = 0
    equal: int = 0
    other_core: int = 0  # the code has changed since and now decides otherwise
    bytes_per_pass: float = 0.0  # of world and decisions, as JSON
    different: list[Different] = field(default_factory=list)
    what_if: WhatIf | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was altered and the same code decides the same."""
        return self.passes == self.equal + self.other_core


def replay(
    *,
    since: datetime | None = None,
    limit: int | None = None,
    other: Weights | None = None,
    progress: Progress | None = None,
) -> Replay:
    """Decide the newest passes again, oldest of them first; a few statements for each 200."""
    chosen = _chosen(since, limit)
    found, core, sized = Replay(what_if=WhatIf() if other else None), core_version(), 0
    weights = _Versions()
    total = len(chosen)
    for batch in _batches(chosen):
        told, ended = _told(batch), _ended(batch) if other else {}
        for row in batch:
            record = _record(row, weights.of(row.weights_version), told.get(row.id, frozenset()))
            answer = replayed(record, core)
            found.passes += 1
            found.dispatches += len(row.decisions) if isinstance(row.decisions, list) else 0
            found.equal += answer.equal
            found.other_core += answer.other_core
            sized += len(json.dumps(row.world)) + len(json.dumps(row.decisions))
            if answer.problems and len(found.different) < MOST_TOLD:
                found.different.append(Different(row.id, row.at, answer.problems))
            if other and found.what_if and not answer.problems:
                found.what_if.add(from_json(row.world), row.decisions, other, ended)
        if progress:
            progress(found.passes, total)
    found.bytes_per_pass = round(sized / found.passes, 1) if found.passes else 0.0
    return found


def _chosen(since: datetime | None, limit: int | None) -> list[UUID]:
    """The ids of the passes, oldest first."""
    rows: QuerySet[Pass] = Pass.objects.order_by("-id")
    if since is not None:
        rows = rows.filter(at__gte=since)
    return list(rows.values_list("id", flat=True)[:limit])[::-1]


def _batches(ids: Sequence[UUID]) -> Iterator[list[Pass]]:
    for start in range(0, len(ids), BATCH):
        yield list(Pass.objects.filter(id__in=ids[start : start + BATCH]).order_by("id"))


class _Versions:
    """The weights by version, each read once."""

    def __init__(self) -> None:
        self._known: dict[int, Weights | None] = {0: DEFAULT_WEIGHTS}

    def of(self, version: int) -> Weights | None:
        if version not in self._known:
            row = WeightsRow.objects.filter(version=version).first()
            self._known[version] = _sound(row)
        return self._known[version]


def _sound(row: WeightsRow | None) -> Weights | None:
    try:
        return weights_from(row.values) if row else None
    except BadWeights:
        return None


def _record(row: Pass, weights: Weights | None, told: frozenset[str]) -> Record:
    return Record(
        world=row.world,
        world_hash=row.world_hash,
        decisions=row.decisions,
        owed=row.owed,
        context=row.context,
        core=row.core,
        digest=row.digest,
        weights=weights,
        told=told,
    )


def _told(batch: Sequence[Pass]) -> dict[UUID, frozenset[str]]:
    """The hash of each pass in the events of its dispatches."""
    ids = {str(row.id): row.id for row in batch}
    events = Event.objects.filter(
        stream="task", stream_id__in=list(_tasks(batch)), type="task_dispatched"
    )
    found: dict[UUID, frozenset[str]] = {}
    for payload in events.values_list("payload", flat=True):
        of = ids.get(str(payload.get("pass")))
        if of is not None and "digest" in payload:
            found[of] = found.get(of, frozenset()) | {str(payload["digest"])}
    return found


def _ended(batch: Sequence[Pass]) -> dict[str, Ended]:
    ids = [UUID(task) for task in _tasks(batch)]
    rows = Outcome.objects.filter(task_id__in=ids)
    return {
        str(task): Ended(node, verdict == "verified", seconds)
        for task, node, verdict, seconds in rows.values_list(
            "task_id", "node", "verdict", "run_seconds"
        )
    }


def _tasks(batch: Sequence[Pass]) -> set[str]:
    return {str(one["task"]) for row in batch for one in _listed(row.decisions) if "task" in one}


def _listed(decisions: Any) -> list[dict[str, Any]]:
    """The decisions, as far as someone left them readable."""
    rows = decisions if isinstance(decisions, list) else []
    return [row for row in rows if isinstance(row, dict)]
