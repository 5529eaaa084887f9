"""Who leads, with which weights, and what was decided."""

from django.db import models
from django.db.models.functions import Now

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
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "passes"

    def __str__(self) -> str:
        return f"pass at {self.at}"
