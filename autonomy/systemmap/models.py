"""The map: what is declared, who owns it, and the nodes it can run on."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from ledger.domain.ids import new_id
from ledger.models import Owned


class Kind(models.TextChoices):
    """What a component is."""

    SKILL = "skill"
    DETECTOR = "detector"
    CONNECTOR = "connector"
    WORKFLOW = "workflow"
    AGENT = "agent"
    MODEL = "model"
    SERVICE = "service"


class Component(Owned):
    """A declared part of the platform: has an owner, a tier and a description."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    owner = models.CharField(max_length=200, blank=True)
    tier = models.PositiveSmallIntegerField(default=3)
    version = models.CharField(max_length=64, blank=True)
    declaration = models.JSONField(default=dict)
    problem = models.TextField(blank=True)  # why it cannot be used: the traceback of its module
    paused = models.BooleanField(default=False)
    declared_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True, blank=True)  # no loaded module declares it now

    class Meta:
        ordering = ["kind", "name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "kind", "name"], name="component_name"),
            models.CheckConstraint(condition=models.Q(tier__in=(1, 2, 3)), name="component_tier"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Node(Owned):
    """One machine, or one worker group on it, with slots, labels and allowed tiers."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    labels = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    tiers = ArrayField(models.PositiveSmallIntegerField(), default=list)
    slots = models.PositiveSmallIntegerField(default=2)
    # What it has loaded (name → version) and how far it can isolate (0 process … 3 system calls).
    versions = models.JSONField(default=dict)
    detectors = models.JSONField(default=dict)
    isolation = models.PositiveSmallIntegerField(default=0)
    incarnation = models.UUIDField(
        null=True
    )  # changes when its process does: an old one cannot write
    pid = models.PositiveIntegerField(null=True)
    paused = models.BooleanField(default=False)
    draining = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "name"], name="node_name"),
        ]

    def __str__(self) -> str:
        return self.name
