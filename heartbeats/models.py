"""Detectors as configured, their ticks, and what they found."""

from django.db import models
from django.db.models.functions import Now

from ledger.domain.ids import new_id
from ledger.models import Owned


class Missed(models.TextChoices):
    """What to do about due times that nobody noticed."""

    SKIP = "skip"
    RUN_ONCE = "once"
    CATCH_UP = "all"


class Watch(Owned):
    """A detector put to work: with parameters, on a schedule (E-3, E-4)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200, unique=True)
    detector = models.CharField(max_length=200)
    params = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    missed = models.CharField(max_length=8, choices=Missed, default=Missed.RUN_ONCE)
    strikes = models.PositiveSmallIntegerField(default=0)
    disabled_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "watches"

    def __str__(self) -> str:
        return self.name


class Tick(Owned):
    """One due time of a watch, however many clocks noticed it (E-4)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="ticks")
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, default="due")  # due, running, done, failed, skipped
    node = models.CharField(max_length=100, blank=True)
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
            models.Index(fields=["due_at"], condition=models.Q(state="due"), name="tick_due"),
        ]

    def __str__(self) -> str:
        return f"{self.watch_id} {self.due_at}"


class Noticed(Owned):
    """A finding that was acted on; one with `once` is acted on a single time per key."""

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
        verbose_name_plural = "noticed"
        constraints = [
            models.UniqueConstraint(
                fields=["watch", "key"], condition=models.Q(once=True), name="noticed_once"
            ),
        ]

    def __str__(self) -> str:
        return self.reason
