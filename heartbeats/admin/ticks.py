"""Ticks and what they found: to look at."""

from collections.abc import Sequence

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from autonomy.tasks.admin.shown import (
    COLOURS,
    Html,
    Named,
    ShownAdmin,
    ago,
    badge,
    block,
    document,
    grid,
    link,
    short,
)
from heartbeats.models import Noticed, Tick

STATES = {**COLOURS, "due": "warning", "skipped": "default"}


@admin.register(Tick)
class TickAdmin(ShownAdmin):
    """Every due time, newest first."""

    list_display = ["of", "due", "how", "node", "findings", "why"]
    list_filter = ["state"]
    list_select_related = ["watch"]
    search_fields = ["watch__name__startswith"]
    search_help_text = "An id, or how the name of a watch begins"
    ordering = ["-id"]

    def facts(self, tick: Tick) -> Sequence[Named]:
        return [
            ("Watch", link(tick.watch, tick.watch.name)),
            ("Detector", tick.watch.detector),
            ("State", badge(tick.state)),
            ("Due", ago(tick.due_at)),
            ("Node", tick.node),
            ("Taken", f"{tick.attempt} times"),
            ("Started", ago(tick.started_at)),
            ("Ended", ago(tick.ended_at)),
            ("Findings", tick.findings),
        ]

    def panels(self, tick: Tick) -> Sequence[Named]:
        rows = ([link(n, n.reason), n.skill, _task(n)] for n in tick.noticed.order_by("id"))
        return [
            ("Led to", grid(["finding", "skill", "task"], rows, empty="It led to no task.")),
            ("Error", block(tick.error, empty="None.")),
        ]

    @display(description="watch", ordering="watch__name")
    def of(self, tick: Tick) -> str:
        return tick.watch.name

    @display(description="due", ordering="due_at")
    def due(self, tick: Tick) -> Html:
        return ago(tick.due_at)

    @display(description="state", label=STATES)
    def how(self, tick: Tick) -> str:
        return tick.state

    @display(description="error")
    def why(self, tick: Tick) -> str:
        return tick.error.strip().rpartition("\n")[2][:100]


@admin.register(Noticed)
class NoticedAdmin(ShownAdmin):
    """Every finding that led to a task, newest first."""

    list_display = ["reason", "of", "skill", "key", "when"]
    list_filter = ["once"]
    list_select_related = ["watch", "tick"]
    search_fields = ["watch__name__startswith", "key__startswith", "skill__startswith"]
    search_help_text = "An id, or how the name of a watch, a key or a skill begins"
    ordering = ["-id"]

    def facts(self, noticed: Noticed) -> Sequence[Named]:
        return [
            ("Watch", link(noticed.watch, noticed.watch.name)),
            ("Tick", link(noticed.tick, short(noticed.tick_id))),
            ("Noticed", ago(noticed.tick.due_at)),
            ("Skill", noticed.skill),
            ("Task", _task(noticed)),
            ("Key", noticed.key),
            ("Acted on", "once for ever" if noticed.once else "while no task is open"),
        ]

    def panels(self, noticed: Noticed) -> Sequence[Named]:
        return [("Reason", block(noticed.reason)), ("Arguments", document(noticed.args))]

    @display(description="watch", ordering="watch__name")
    def of(self, noticed: Noticed) -> str:
        return noticed.watch.name

    @display(description="noticed", ordering="id")
    def when(self, noticed: Noticed) -> Html:
        return ago(noticed.tick.due_at)


def _task(noticed: Noticed) -> Html:
    if noticed.task_id is None:
        return ""
    address = reverse("admin:tasks_task_change", args=[noticed.task_id])
    return format_html('<a class="shown-link" href="{}">{}</a>', address, short(noticed.task_id))
