"""Who decides, with which weights, and what was decided."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from autonomy.engine.models import Leadership, Pass, Weights
from autonomy.engine.selectors import explanation_of
from autonomy.tasks.admin import TaskAdmin
from autonomy.tasks.admin.shown import Html, Named, ShownAdmin, ago, code, document, sentences
from autonomy.tasks.models import Task

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
    ordering = ["-id"]

    def facts(self, made: Pass) -> Sequence[Named]:
        return [
            ("Decided", ago(made.at)),
            ("Decisions", len(made.decisions)),
            ("Weights", f"version {made.weights_version}"),
            ("Hash of the world", code(made.world_hash)),
        ]

    def panels(self, made: Pass) -> Sequence[Named]:
        return [("Decisions", document(made.decisions)), ("World", document(made.world))]

    @display(description="pass", ordering="id")
    def when(self, made: Pass) -> Html:
        return ago(made.at)

    @display(description="decisions")
    def decided(self, made: Pass) -> int:
        return len(made.decisions)

    @display(description="world")
    def world_begins(self, made: Pass) -> Html:
        return code(made.world_hash[:12])


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
