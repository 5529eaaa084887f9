"""A person's decisions about the exact bytes of actions."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Least, Now

from firewall.domain.levels import Level
from ledger.domain.ids import new_id
from ledger.models import Owned

TIERS = (1, 2, 3)


class Decision(models.TextChoices):
    """What became of an approval."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"  # what it was asked for changed, or no longer wants to run


class Approval(Owned):
    """A request to a person about one action, and the answer (F-3, F-5)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    task_id = models.UUIDField()
    skill = models.CharField(max_length=200)
    tier = models.PositiveSmallIntegerField()
    action = models.TextField()  # canonical JSON (RFC 8785): exactly the bytes that were hashed
    action_digest = models.CharField(max_length=64)
    summary = models.TextField(blank=True)
    diff = models.TextField(blank=True)
    requested_by = models.CharField(max_length=200)  # person:NAME or service:NAME
    decision = models.CharField(max_length=10, choices=Decision, default=Decision.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["task_id"],
                condition=models.Q(decision="pending"),
                name="one_pending_approval",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_at__isnull=True) | ~models.Q(decision="pending"),
                name="decided_is_not_pending",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=False)
                | ~models.Q(decision__in=["approved", "rejected"]),
                name="answered_by_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["decision", "expires_at"], name="approval_waiting"),
            models.Index(fields=["task_id", "created_at"], name="approval_of_task"),
        ]
        permissions = [
            *((f"approve_tier_{tier}", f"Can approve tier {tier}") for tier in TIERS),
            ("submit_task", "Can submit tasks"),
            ("administer", "Can administer the platform"),
        ]

    def __str__(self) -> str:
        return f"{self.skill} ({self.decision})"


class SoloMode(Owned):
    """A while in which one person may approve what they themselves requested, tier 3 included."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    until = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__lte=models.F("created_at") + timedelta(days=1)),
                name="solo_is_a_day_at_most",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by_id} until {self.until}"


class Dial(models.Model):
    """How much may run alone: the one row that every claim and every dispatch reads (D-19, F-11).

    Levels are stored by rank, from 0 (off) to 4 (full), so that the database can compare them.
    """

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    ceiling = models.PositiveSmallIntegerField(default=Level.FULL.rank)  # by a person
    ceiling_by = models.CharField(max_length=200, blank=True)
    ceiling_reason = models.TextField(blank=True)
    ceiling_at = models.DateTimeField(null=True)
    resume_to = models.PositiveSmallIntegerField(default=Level.FULL.rank)  # after a stop
    chosen = models.PositiveSmallIntegerField(default=Level.FULL.rank)  # by the engine
    chosen_reason = models.TextField(blank=True)
    chosen_at = models.DateTimeField(null=True)
    evidence = models.JSONField(default=dict)
    in_force = models.GeneratedField(
        expression=Least("ceiling", "chosen"),
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
    )
    told = models.PositiveSmallIntegerField(default=Level.FULL.rank)  # of which the ledger knows
    changed_at = models.DateTimeField(db_default=Now())  # when what is in force last changed

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_dial"),
            models.CheckConstraint(
                condition=models.Q(ceiling__lte=4, chosen__lte=4), name="dial_has_five_levels"
            ),
        ]
        permissions = [("stop", "Can stop everything")]

    def __str__(self) -> str:
        return f"level {self.in_force} of 4"
