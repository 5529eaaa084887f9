"""The page of a task: where it stands, why, what it waited for, and the evidence."""

from collections.abc import Sequence

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from autonomy.domain.states import LIVE
from autonomy.tasks.admin import panels
from autonomy.tasks.admin.filters import OfNode, OfSkill, Standing
from autonomy.tasks.admin.shown import (
    COLOURS,
    Html,
    Named,
    ShownAdmin,
    ago,
    badge,
    code,
    document,
    short,
)
from autonomy.tasks.models import Task
from autonomy.tasks.services import cancel
from ledger.models import Outcome


class CancelForm(BaseDialogForm):
    """Why a task is ended."""

    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)


@admin.register(Task)
class TaskAdmin(ShownAdmin):
    """Every task, newest first."""

    list_display = ["name", "standing", "verdict", "tier", "node", "attempts", "because", "asked"]
    list_filter = [Standing, OfSkill, OfNode, "tier"]
    search_fields = ["skill__startswith", "origin__startswith"]
    search_help_text = "An id, or how a skill or an origin begins"
    ordering = ["-id"]
    actions = ["cancel_selected"]
    actions_detail = ["cancel_one"]

    class Media:
        js = ["autonomy/live.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        verdict = Outcome.objects.filter(task_id=OuterRef("pk")).values("verdict")[:1]
        rows: QuerySet[Task] = super().get_queryset(request)
        return rows.annotate(verdict_word=Subquery(verdict))

    def facts(self, task: Task) -> Sequence[Named]:
        return [
            ("State", badge(task.state)),
            ("Verdict", badge(self.verdict(task))),
            ("Evidence id", panels.evidence_id(task)),
            ("Tier", task.tier),
            ("Node", task.node),
            ("Attempt", self.attempts(task)),
            ("Reason", task.reason),
            ("Asked for by", task.requested_by),
            ("Origin", task.origin),
            ("Run", _run(task)),
            ("Asked", ago(task.created_at)),
            ("Started", ago(task.started_at)),
            ("Ended", ago(task.ended_at)),
        ]

    def panels(self, task: Task) -> Sequence[Named]:
        return [
            *panels.approvals(task),
            *panels.live_output(task),
            ("Evidence", panels.evidence(task)),
            ("Waits for", panels.upstream(task)),
            ("Waited for by", panels.downstream(task)),
            ("Sessions", panels.sessions(task)),
            ("Effects outside", panels.effects(task)),
            ("Artifacts", panels.artifacts(task)),
            ("Pre-flight", panels.plan(task)),
            ("Arguments", document(task.resolved or task.args)),
            ("Result", document(task.result)),
            ("Action digest", code(task.action_digest) or "Only tier 3 is bound to one."),
            ("Caused by", " → ".join(task.cause) or "Asked for directly."),
        ]

    def has_cancel_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        allowed = request.user.has_perm("firewall.submit_task")
        if object_id is None:
            return allowed
        return allowed and Task.objects.filter(pk=object_id, state__in=sorted(LIVE)).exists()

    @action(
        description="Cancel",
        permissions=["cancel"],
        icon="cancel",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "End this task?",
            "description": "A running session is told, and ended within 16 seconds. "
            "What it already did stays done, and is shown.",
            "form_class": CancelForm,
            "form_submit_text": "End the task",
        },
    )
    def cancel_one(self, request: HttpRequest, form: CancelForm, object_id: str) -> HttpResponse:
        self._cancel(request, Task.objects.filter(pk=object_id), form.cleaned_data["reason"])
        # The dialog is answered by a script, which goes where this header says.
        page = reverse("admin:tasks_task_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": page})

    @action(description="Cancel the selected tasks", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        self._cancel(request, tasks, "cancelled from the list")

    def _cancel(self, request: HttpRequest, tasks: QuerySet[Task], reason: str) -> None:
        who = f"person:{request.user.get_username()}"
        told = cancel(list(tasks.values_list("pk", flat=True)), actor=who, reason=reason)
        ended = sum(told.values())
        words = f"{ended} cancelled, {len(told) - ended} told to end within 16 seconds"
        if told:
            self.message_user(request, words, messages.SUCCESS)
        else:
            self.message_user(request, "nothing to cancel: it had ended already", messages.WARNING)

    @display(description="task", ordering="skill", header=True)
    def name(self, task: Task) -> list[str]:
        known = task.skill if task.key in task.skill else f"{task.skill} ({task.key})"
        return [known, short(task.pk)]

    @display(description="state", ordering="state", label=COLOURS)
    def standing(self, task: Task) -> str:
        return task.state

    @display(description="verdict", label=COLOURS)
    def verdict(self, task: Task) -> str:
        return getattr(task, "verdict_word", None) or ""

    @display(description="attempt", ordering="attempt")
    def attempts(self, task: Task) -> str:
        return f"{task.attempt} of {task.max_attempts}"

    @display(description="reason")
    def because(self, task: Task) -> str:
        return task.reason if len(task.reason) <= 60 else task.reason[:59] + "…"

    @display(description="asked", ordering="id")
    def asked(self, task: Task) -> Html:
        return ago(task.created_at)


def _run(task: Task) -> Html:
    page = reverse("admin:tasks_task_changelist")
    return format_html(
        '<a class="shown-link" href="{}?run_id={}">{}</a>', page, task.run_id, short(task.run_id)
    )
