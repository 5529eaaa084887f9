"""Who decides, with which weights, and what was decided."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from autonomy.domain.predictions import Kind
from autonomy.domain.predictions import Prediction as Said
from autonomy.domain.world import microseconds
from autonomy.engine.models import Leadership, Pass, Prediction, Weights
from autonomy.engine.selectors import explanation_of, in_force
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
        return [
            ("Standing", _in_use(weights)),
            ("Values", document(weights.values)),
            ("Trust", document(weights.trust, empty="As shipped.")),
        ]

    @display(description="set", ordering="at")
    def set_at(self, weights: Weights) -> Html:
        return ago(weights.at)


def _in_use(weights: Weights) -> str:
    """Whether the engine weighs with this version, and why not where it refuses to."""
    weighing = in_force()
    if weights.version == weighing.version:
        return "in force"
    return weighing.refused.get(weights.version, "replaced by a newer version")


@admin.register(Prediction)
class PredictionAdmin(ShownAdmin):
    """What the engine said would be so by when, newest first."""

    list_display = ["words", "by", "answer"]
    list_filter = ["kind", "came_true"]
    list_per_page = 30
    ordering = ["-id"]

    def facts(self, made: Prediction) -> Sequence[Named]:
        return [
            ("Prediction", self.words(made)),
            ("Made", ago(made.made_at)),
            ("By", made.by),
            ("Checked", ago(made.checked_at)),
            ("Came true", self.answer(made)),
        ]

    def panels(self, made: Prediction) -> Sequence[Named]:
        return [("What differed", document(made.seen))]

    @display(description="prediction")
    def words(self, made: Prediction) -> str:
        return Said(Kind(made.kind), made.subject, microseconds(made.by), "", made.bound).words()

    @display(description="came true")
    def answer(self, made: Prediction) -> str:
        if made.checked_at is None:
            return "not due yet"
        return {True: "yes", False: "no", None: "void"}[made.came_true]


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
            ("Version of the core", code(made.core)),
            ("Hash of the world", code(made.world_hash)),
            ("Hash of the record", code(made.digest)),
        ]

    def panels(self, made: Pass) -> Sequence[Named]:
        return [
            ("Decisions", _decisions(made.decisions)),
            ("What else was known", document(made.context)),
            ("World", document(made.world)),
        ]

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
