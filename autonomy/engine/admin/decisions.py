"""Who decides, with which weights, and what was decided."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from autonomy.engine.models import Leadership, Pass, Weights
from autonomy.engine.selectors import explanation_of
from autonomy.tasks.admin import TaskAdmin
from autonomy.tasks.admin.shown import (
    Html,
    Named,
    ShownAdmin,
    ago,
    code,
    document,
    grid,
    link,
    sentences,
    short,
)
from autonomy.tasks.models import Task

SHOWN = 4

admin.site.unregister(Task)


@admin.register(Task)
class ExplainedTaskAdmin(TaskAdmin):
    """The page of a task with the engine's account of it, which tasks cannot give."""

    def panels(self, task: Task) -> Sequence[Named]:
        told = explanation_of(task.pk)
        return [("Why", sentences(told.sentences)), *super().panels(task)]


@admin.register(Weights)
class WeightsAdmin(ShownAdmin):
    """Every version of the weights, newest first."""

    list_display = ["version", "set_by", "set_at"]
    ordering = ["-version"]

    def facts(self, weights: Weights) -> Sequence[Named]:
        return [("Version", weights.version), ("Set by", weights.set_by), ("Set", ago(weights.at))]

    def panels(self, weights: Weights) -> Sequence[Named]:
        return [("Values", document(weights.values))]

    @display(description="set", ordering="at")
    def set_at(self, weights: Weights) -> Html:
        return ago(weights.at)


@admin.register(Pass)
class PassAdmin(ShownAdmin):
    """Every pass that changed something, newest first."""

    list_display = ["when", "decided", "weights_version", "world_begins"]
    list_per_page = 30
    ordering = ["-id"]

    def facts(self, made: Pass) -> Sequence[Named]:
        return [
            ("Decided", ago(made.at)),
            ("Decisions", len(made.decisions)),
            ("Weights", f"version {made.weights_version}"),
            ("Hash of the world", code(made.world_hash)),
        ]

    def panels(self, made: Pass) -> Sequence[Named]:
        return [("Decisions", _decisions(made.decisions)), ("World", document(made.world))]

    @display(description="pass", ordering="id")
    def when(self, made: Pass) -> Html:
        return ago(made.at)

    @display(description="decided")
    def decided(self, made: Pass) -> str:
        told = [f"{short(one['task'])} → {one['node']}" for one in made.decisions]
        more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        return ", ".join(told[:SHOWN]) + more

    @display(description="world")
    def world_begins(self, made: Pass) -> Html:
        return code(made.world_hash[:12])


def _decisions(made: Sequence[dict[str, Any]]) -> Html:
    """Each with its reason, and the nodes that were weighed."""
    tasks = Task.objects.in_bulk([UUID(one["task"]) for one in made])
    rows = (
        [_named(one["task"], tasks), one["node"], one["reason"], _weighed(one["candidates"])]
        for one in made
    )
    return grid(["task", "node", "why", "weighed"], rows, empty="It decided nothing.")


def _named(id_: str, tasks: dict[UUID, Task]) -> Html:
    task = tasks.get(UUID(id_))
    return link(task, task.skill) if task else short(id_)


def _weighed(candidates: Sequence[dict[str, Any]]) -> str:
    return "; ".join(f"{one['node']}: {one['note'] or one['reason']}" for one in candidates)


@admin.register(Leadership)
class LeadershipAdmin(ShownAdmin):
    """Who holds the lease of the deciding engine."""

    list_display = ["name", "holder", "until"]

    def facts(self, lease: Leadership) -> Sequence[Named]:
        return [("Lease", lease.name), ("Holder", code(str(lease.holder))), ("Until", lease.until)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset, False
