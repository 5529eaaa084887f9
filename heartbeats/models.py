"""Detectors as configured, their ticks, and what they found."""

from django.db import models
from django.db.models.functions import Now
from django_celery_beat.models import PeriodicTask

from heartbeats.domain.missed import Missed
from ledger.domain.ids import new_id
from ledger.models import Owned

MISSED = [
    (Missed.SKIP.value, "skip them"),
    (Missed.RUN_ONCE.value, "run once for all of them"),
    (Missed.CATCH_UP.value, "run each of them"),
]


class Watch(Owned):
    """A detector put to work: with parameters, on a schedule (E-3, E-4)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=190, unique=True)
    detector = models.CharField(max_length=200)
    params = models.JSONField(default=dict, blank=True)
    schedule = models.OneToOneField(PeriodicTask, on_delete=models.PROTECT, related_name="watch")
    enabled = models.BooleanField(default=True)
    missed = models.CharField(max_length=8, choices=MISSED, default=Missed.RUN_ONCE.value)
    strikes = models.PositiveSmallIntegerField(default=0)
    disabled_reason = models.TextField(blank=True)
    # The first due time that nobody has noticed, the schedule it was reckoned from, and the last
    # change of any schedule that was taken into account.
    next_due_at = models.DateTimeField(null=True)
    planned = models.TextField(blank=True)
    schedules_seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "watches"

    def __str__(self) -> str:
        return self.name


class TickState(models.TextChoices):
    """How far a tick has come."""

    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Tick(Owned):
    """One due time of a watch, however many clocks noticed it (E-4)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="ticks")
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=TickState, default=TickState.DUE)
    node = models.CharField(max_length=100, blank=True)
    attempt = models.PositiveIntegerField(default=0)  # the fence: grows each time it is taken
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    findings = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-due_at"]
        constraints = [
            models.UniqueConstraint(fields=["watch", "due_at"], name="tick_once"),
            models.UniqueConstraint(
                fields=["watch"], condition=models.Q(state="running"), name="one_live_tick"
            ),
        ]
        indexes = [
            models.Index(
                fields=["watch", "due_at"],
                condition=models.Q(state__in=["due", "running"]),
                name="tick_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.watch_id} {self.due_at}"


class Noticed(Owned):
    """A finding that led to a task; one with `once` does so a single time per key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tick = models.ForeignKey(Tick, on_delete=models.CASCADE, related_name="noticed")
    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="noticed")
    key = models.CharField(max_length=200)
    once = models.BooleanField(default=False)
    skill = models.CharField(max_length=200)
    args = models.JSONField(default=dict)
    reason = models.TextField()
    task_id = models.UUIDField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "noticed"
        constraints = [
            models.UniqueConstraint(
                fields=["watch", "key"], condition=models.Q(once=True), name="noticed_once"
            ),
        ]

    def __str__(self) -> str:
        return self.reason
