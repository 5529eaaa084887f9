"""What happened: events, the blocks that seal them, outcomes and node scores."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func
from django.db.models.functions import Now

from ledger.domain.ids import DEFAULT_WORKSPACE, new_id


class CurrentTransaction(Func):
    """The number of the inserting transaction, by the ledger's clock (see services/clock.py)."""

    template = "ledger_clock(pg_current_xact_id())"
    output_field = models.BigIntegerField()


class Owned(models.Model):
    """A row that belongs to a workspace."""

    workspace_id = models.UUIDField(default=DEFAULT_WORKSPACE, editable=False)

    class Meta:
        abstract = True


class Event(Owned):
    """Something that happened; written with the change it records, never updated (C-23)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    type = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField(default=1)
    stream = models.CharField(max_length=20)  # task, component, node, approval, detector, platform
    stream_id = models.CharField(max_length=200)
    actor = models.CharField(max_length=200)
    cause = models.JSONField(default=list)
    payload = models.JSONField(default=dict)
    body_hash = models.CharField(max_length=64, blank=True, db_default="")  # of its Body, if any
    at = models.DateTimeField(db_default=Now())
    # Lets the sealer number events in an order to which nothing can be added later.
    transaction = models.BigIntegerField(db_default=CurrentTransaction(), editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["transaction", "id"], name="event_commit_order"),
            models.Index(fields=["stream", "stream_id", "id"], name="event_stream"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.stream}:{self.stream_id}"


class Body(Owned):
    """What an event says of people: kept apart so that it can be erased, while its hash stays.

    The salt goes with it, so that nobody can find out by trying what an erased body was.
    """

    event_id = models.UUIDField(primary_key=True)
    salt = models.BinaryField()
    text = models.TextField()

    class Meta:
        verbose_name_plural = "bodies"
        permissions = [("erase_body", "May erase the body of an event")]

    def __str__(self) -> str:
        return f"of {self.event_id}"


class Block(Owned):
    """A run of events, numbered without a gap and chained to the block before (C-24)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.BigIntegerField()
    first_sequence = models.BigIntegerField()
    last_sequence = models.BigIntegerField()
    # How far the sealer has come in (transaction, event id) order.
    last_transaction = models.BigIntegerField()
    last_event_id = models.UUIDField()
    previous_hash = models.CharField(max_length=64)
    merkle_root = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "number"], name="block_number"),
            models.UniqueConstraint(
                fields=["workspace_id", "previous_hash"], name="block_one_successor"
            ),
        ]

    def __str__(self) -> str:
        return f"block {self.number}"


class Seal(Owned):
    """The place of one event in the chain."""

    event_id = models.UUIDField(primary_key=True)
    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="seals")
    sequence = models.BigIntegerField()
    event_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["sequence"]
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "sequence"], name="seal_sequence"),
        ]

    def __str__(self) -> str:
        return f"#{self.sequence}"


class Outcome(Owned):
    """The one terminal record of a task (C-25). Seconds and dollars.

    Stored in one partition per month of the task's key; what is older than retention is dropped.
    """

    task_id = models.UUIDField(primary_key=True)
    session_id = models.UUIDField(null=True)
    epoch = models.PositiveIntegerField()
    skill = models.CharField(max_length=200)
    node = models.CharField(max_length=100, blank=True)
    tier = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    verdict = models.CharField(max_length=20, blank=True)
    evidence = models.JSONField(default=dict)
    decision_seconds = models.FloatField(null=True)  # from ready to dispatched
    queue_seconds = models.FloatField(default=0)
    run_seconds = models.FloatField(default=0)
    verify_seconds = models.FloatField(default=0)
    expected_seconds = models.FloatField(default=0)
    retries = models.PositiveIntegerField(default=0)
    dollars = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    tokens = models.BigIntegerField(default=0)
    quality = models.FloatField(null=True)
    error_class = models.CharField(max_length=20, blank=True)
    canary = models.BooleanField(default=False)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["-at"], name="outcome_time"),
            models.Index(fields=["skill", "-at"], name="outcome_skill"),
            # What was not proved, did not end well, or is ours, is little among much.
            models.Index(
                fields=["verdict", "-at"],
                condition=~models.Q(verdict="verified"),
                name="outcome_verdict",
            ),
            models.Index(
                fields=["state", "-at"], condition=~models.Q(state="done"), name="outcome_state"
            ),
            models.Index(fields=["-at"], condition=models.Q(canary=True), name="outcome_canary"),
        ]

    def __str__(self) -> str:
        return f"{self.skill}: {self.state} {self.verdict}"


class SkillDay(Owned):
    """What became of a skill's tasks on a day (UTC), added up as they ended; outlives them (C-25).

    `ended` are those that ended done or failed; canaries are counted apart and nowhere else.
    """

    pk = models.CompositePrimaryKey("workspace_id", "skill", "day")
    skill = models.CharField(max_length=200)
    day = models.DateField()
    ran = models.BigIntegerField()
    ended = models.BigIntegerField()
    verified = models.BigIntegerField()
    unverified = models.BigIntegerField()
    failed = models.BigIntegerField()
    stopped = models.BigIntegerField()  # cancelled, rejected or expired
    first = models.BigIntegerField()  # ended at the first attempt
    first_verified = models.BigIntegerField()
    canaries = models.BigIntegerField()
    retries = models.BigIntegerField()
    dollars = models.DecimalField(max_digits=20, decimal_places=6)
    tokens = models.BigIntegerField()
    run_seconds = models.FloatField()
    verify_seconds = models.FloatField()
    expected_seconds = models.FloatField()
    quality_sum = models.FloatField()
    quality_count = models.BigIntegerField()
    # Counts by duration, in the buckets of domain/spread.py.
    runs = ArrayField(models.IntegerField())
    queues = ArrayField(models.IntegerField())
    decisions = ArrayField(models.IntegerField())
    last_ran_at = models.DateTimeField(null=True)
    last_verified_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace_id", "day"], name="skill_day")]

    def __str__(self) -> str:
        return f"{self.skill} {self.day}"


class NodeDay(Owned):
    """What a node did on a day (UTC): how its tasks ended, and how long its slots were in use."""

    pk = models.CompositePrimaryKey("workspace_id", "node", "day")
    node = models.CharField(max_length=100)
    day = models.DateField()
    ended = models.BigIntegerField(default=0)
    verified = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    alive_seconds = models.FloatField(default=0)
    slot_seconds = models.FloatField(default=0)
    busy_seconds = models.FloatField(default=0)

    class Meta:
        indexes = [models.Index(fields=["workspace_id", "day"], name="node_day")]

    def __str__(self) -> str:
        return f"{self.node} {self.day}"


class NodeScore(Owned):
    """How well a node has done a skill lately: a decayed sum and its weight (D-12, D-13)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    node = models.CharField(max_length=100)
    skill = models.CharField(max_length=200)
    value_sum = models.FloatField(default=0)
    success_sum = models.FloatField(default=0)
    weight = models.FloatField(default=0)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "node", "skill"], name="score_of_node_skill"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node} {self.skill}"


class SkillEstimate(Owned):
    """How long verified runs of a skill have taken lately: a decayed mean (D-8)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    skill = models.CharField(max_length=200)
    seconds_sum = models.FloatField(default=0)
    success_sum = models.FloatField(default=0)
    verified_weight = models.FloatField(default=0)
    weight = models.FloatField(default=0)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "skill"], name="estimate_of_skill"),
        ]

    def __str__(self) -> str:
        return self.skill
