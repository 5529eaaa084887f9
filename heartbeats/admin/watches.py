"""Setting up watches without code, and switching them (E-3)."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from autonomy.systemmap.models import Kind
from autonomy.systemmap.selectors import usable
from autonomy.tasks.admin.shown import Html, ago
from heartbeats import selectors, services
from heartbeats.admin.ticks import STATES
from heartbeats.models import Watch
from heartbeats.services import WatchRefused, When, checked


def _detectors() -> list[tuple[str, str]]:
    names = usable(Kind.DETECTOR).order_by("name").values_list("name", flat=True)
    return [(name, name) for name in names]


class WatchForm(forms.ModelForm):  # type: ignore[type-arg]
    """A watch and its schedule in one form, checked as the command line would check it."""

    detector = forms.ChoiceField(choices=_detectors, widget=UnfoldAdminSelectWidget)
    every = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="How often, such as 30s, 5m or 2h. Leave all four empty to look as declared.",
    )
    crontab = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Or five fields: minute hour day month weekday, such as 0 7 * * mon-fri.",
    )
    timezone = forms.CharField(
        required=False,
        initial="UTC",
        widget=UnfoldAdminTextInputWidget,
        help_text="Whose clocks the crontab follows, such as Europe/Berlin.",
    )
    at = forms.SplitDateTimeField(
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text="Or once, at this moment.",
    )

    class Meta:
        model = Watch
        fields = ["name", "detector", "params", "missed", "enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.schedule_id:
            self.initial.update(_shown(self.instance.schedule))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["params"] = data.get("params") or {}
        if "detector" in data:
            try:
                checked(data["detector"], data["params"], self.when())
            except WatchRefused as refusal:
                self.add_error(refusal.field or None, refusal.words)
        return data

    def when(self) -> When:
        """The schedule that was filled in."""
        data = self.cleaned_data
        return When(
            every=data.get("every") or None,
            crontab=data.get("crontab") or None,
            timezone=data.get("timezone") or "UTC",
            at=data.get("at"),
        )


def _shown(row: PeriodicTask) -> dict[str, Any]:
    """A schedule as the form's fields."""
    if row.interval is not None:
        length = selectors.plan_of(row).schedule
        return {"every": f"{getattr(length, 'seconds', row.interval.every)}s"}
    if row.crontab is not None:
        return {"crontab": _fields(row.crontab), "timezone": str(row.crontab.timezone)}
    return {"at": row.clocked.clocked_time} if row.clocked is not None else {}


def _fields(row: CrontabSchedule) -> str:
    fields = (row.minute, row.hour, row.day_of_month, row.month_of_year, row.day_of_week)
    return " ".join(field.replace(" ", "") for field in fields)


@admin.register(Watch)
class WatchAdmin(ModelAdmin):
    """Every watch, with its newest tick."""

    form = WatchForm
    list_display = ["name", "detector", "how_often", "standing", "next_due", "newest", "acted_on"]
    list_filter = ["enabled", "detector", "missed"]
    search_fields = ["name", "detector"]
    readonly_fields = ["strikes", "disabled_reason", "next_due"]
    actions = ["switch_on", "switch_off", "look_now"]
    fieldsets = [
        (None, {"fields": ["name", "detector", "params", "enabled"]}),
        ("When it looks", {"fields": ["every", "crontab", "timezone", "at", "missed"]}),
        ("How it is doing", {"fields": ["next_due", "strikes", "disabled_reason"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Watch]:
        return selectors.overview()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.readonly_fields, *(["name"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: Watch, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's
        by = _person(request)
        data = {name: form.cleaned_data[name] for name in ("detector", "params", "missed")}
        kept = services.put_to_work(obj.name, **data, **vars(form.when()), by=by)
        if form.cleaned_data["enabled"]:
            services.enable(kept, by=by)
        else:
            services.disable(kept, "switched off in the admin", by=by)
        obj.pk = kept.pk

    def get_deleted_objects(
        self, objs: Sequence[Watch], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Its ticks go with a watch, though nobody deletes them one by one."""
        names = [f"{watch.name}, with its schedule and its ticks" for watch in objs]
        return names, {"watches": len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Watch) -> None:
        services.take_off(obj.name, by=_person(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Watch]) -> None:
        for name in list(queryset.values_list("name", flat=True)):
            services.take_off(name, by=_person(request))

    @action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Watch]) -> None:
        count = sum(services.enable(watch, by=_person(request)) for watch in queryset)
        self.message_user(request, f"{count} switched on.", messages.SUCCESS)

    @action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Watch]) -> None:
        reason, by = "switched off in the admin", _person(request)
        count = sum(services.disable(watch, reason, by=by) for watch in queryset)
        self.message_user(request, f"{count} switched off.", messages.SUCCESS)

    @action(description="Look now", permissions=["change"])
    def look_now(self, request: HttpRequest, queryset: QuerySet[Watch]) -> None:
        for watch in queryset:
            services.look_now(watch, by=_person(request))
        self.message_user(request, f"{len(queryset)} will look at once.", messages.SUCCESS)

    @display(description="schedule")
    def how_often(self, watch: Watch) -> str:
        return str(watch.schedule.scheduler)

    @display(description="state", label={"on": "success", "off": "default", "ended": "danger"})
    def standing(self, watch: Watch) -> tuple[str, str]:
        if watch.enabled:
            return "on", f"on, {watch.strikes} strikes" if watch.strikes else "on"
        return ("ended", "ended after strikes") if watch.strikes else ("off", "off")

    @display(description="next due", ordering="next_due_at")
    def next_due(self, watch: Watch) -> Html:
        return ago(watch.next_due_at)

    @display(description="newest tick", label=STATES)
    def newest(self, watch: Any) -> str:
        return watch.last_state or ""

    @display(description="led to tasks")
    def acted_on(self, watch: Any) -> int:
        count: int = watch.acted_on
        return count


def _person(request: HttpRequest) -> str:
    return f"person:{request.user.get_username()}"
