"""Who leads, with which weights, and what was decided."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from autonomy.domain.priority import MILLION
from ledger.domain.ids import new_id
from ledger.models import Owned


class Leadership(models.Model):
    """The lease of the one engine that decides; the others are spares (D-1)."""

    name = models.CharField(primary_key=True, max_length=40)
    holder = models.UUIDField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Weights(Owned):
    """One version of the weights of the priority and the score; a change is a new row (D-8)."""

    version = models.AutoField(primary_key=True)
    values = models.JSONField()
    trust = models.JSONField(default=dict)  # how confidence moves; what is missing is as shipped
    set_by = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "weights"

    def __str__(self) -> str:
        return f"weights {self.version}"


class Pass(Owned):
    """One pass of the engine that changed something: its inputs and its decisions (D-20)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    weights_version = models.PositiveIntegerField()
    world = models.JSONField()
    world_hash = models.CharField(max_length=64)
    decisions = models.JSONField()
    owed = models.JSONField(default=dict)  # turns that origins are owed afterwards (D-6)
    context = models.JSONField(default=dict)  # what else was known: confidence, queue, running work
    core = models.CharField(max_length=16, blank=True)  # the version of the code that decided
    digest = models.CharField(max_length=64, blank=True)  # of all this; the ledger has it too
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "passes"

    def __str__(self) -> str:
        return f"pass at {self.at}"


class Trust(models.Model):
    """How far the world model can be relied on: one row, kept by the engine (D-18, D-19)."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    confidence = models.PositiveIntegerField(default=MILLION)  # millionths
    checked = models.BigIntegerField(default=0)
    right = models.BigIntegerField(default=0)
    observed_at = models.DateTimeField(db_default=Now())  # the last time the world was seen whole
    earned_since = models.BigIntegerField(null=True)  # the next level; microseconds

    class Meta:
        verbose_name_plural = "trust"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_trust"),
            models.CheckConstraint(
                condition=Q(confidence__lte=MILLION), name="confidence_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"confidence {self.confidence / MILLION:.2f}"


class Prediction(Owned):
    """What the engine said would be so by when, and whether it was (D-18)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=200, blank=True)  # a task, a node
    mark = models.CharField(max_length=40, blank=True)  # the fence or incarnation it is about
    bound = models.BigIntegerField(default=0)
    made_at = models.DateTimeField(db_default=Now())
    by = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    came_true = models.BooleanField(null=True)  # None where it became void
    seen = models.JSONField(default=dict)  # what differed, where it did

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["by"], condition=Q(checked_at=None), name="prediction_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class NodeStanding(Owned):
    """How a node does beyond pinging: whether it claims and finishes, and how long its work takes.

    Written by the engine when it changes (D-4, D-5).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    node = models.CharField(max_length=100)
    unwell = models.CharField(max_length=300, blank=True)  # why it is given nothing
    since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # trials in a row that it did not take
    mean_seconds = models.FloatField(default=0)  # of its work lately; 0 when unknown

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "node"], name="standing_of_node"),
        ]

    def __str__(self) -> str:
        return f"{self.node}: {self.unwell or 'well'}"
