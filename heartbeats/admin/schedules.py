"""The rows of django-celery-beat, in the face of this admin."""

from typing import Any

from django.contrib import admin
from django_celery_beat import admin as theirs
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule):
    admin.site.unregister(model)


class RegisteredTaskWidget(UnfoldAdminSelectWidget, theirs.TaskSelectWidget):
    """A choice of the messages that workers understand."""


class PeriodicTaskForm(theirs.PeriodicTaskForm):
    """Their form with the widgets of this admin."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = RegisteredTaskWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(theirs.PeriodicTaskAdmin, ModelAdmin):
    """What beat rings for; the rows of watches are set up with the watch."""

    form = PeriodicTaskForm
    list_display = ["name", "enabled", "scheduler", "last_run_at", "total_run_count"]
    list_filter = ["enabled", "one_off"]
    date_hierarchy = None


class UsedByInline(theirs.PeriodicTaskInline, TabularInline):
    """Who follows a schedule, so that a change of it surprises nobody."""

    fields = readonly_fields = ("name", "enabled", "last_run_at")
    tab = False


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(theirs.IntervalScheduleAdmin, ModelAdmin):
    """Every so often."""

    inlines = [UsedByInline]


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(theirs.CrontabScheduleAdmin, ModelAdmin):
    """When the clocks of a zone show a time."""

    inlines = [UsedByInline]


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(theirs.ClockedScheduleAdmin, ModelAdmin):
    """At one moment."""

    inlines = [UsedByInline]
