"""Tasks, the edges between them, their sessions, effects and artifacts."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from autonomy.domain.quality import HIGHEST, LOWEST
from autonomy.domain.states import LIVE, State
from ledger.domain.ids import new_id
from ledger.models import Owned

_LIVE = sorted(LIVE)


class Task(Owned):
    """A durable request to run one skill with given arguments (C-1 to C-11)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run_id = models.UUIDField()  # shared by everything that grew from one request
    parent_id = models.UUIDField(null=True)  # the task that asked for this one
    key = models.CharField(max_length=100, blank=True)  # its name among the children of that task
    skill = models.CharField(max_length=200)
    tier = models.PositiveSmallIntegerField()
    args = models.JSONField(default=dict)  # as submitted; may hold references
    resolved = models.JSONField(null=True)  # with every reference replaced: what runs
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in State])
    reason = models.TextField(blank=True)  # why it is held, or how it ended
    origin = models.CharField(max_length=200)  # person:NAME, detector:NAME, task:SKILL … (fairness)
    requested_by = models.CharField(max_length=200)  # person:NAME or service:NAME (four eyes)
    cause = models.JSONField(default=list)  # what led to it, oldest first (C-10)
    dedupe_key = models.CharField(max_length=200, null=True)
    canary = models.BooleanField(default=False)

    run_at = models.DateTimeField(db_default=Now())
    deadline = models.DateTimeField(null=True)
    priority_hint = models.FloatField(default=0)
    estimate_seconds = models.FloatField()
    dependents = models.PositiveIntegerField(default=0)  # unfinished, transitive
    critical_path = models.BooleanField(default=False)
    waiting_on = models.PositiveIntegerField(default=0)  # unfinished, direct
    always_run = models.BooleanField(default=False)
    allow_failure = models.BooleanField(default=False)

    epoch = models.PositiveIntegerField(
        default=0
    )  # the fence: grows at dispatch, lease loss, cancel
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField()
    node = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    session_id = models.UUIDField(null=True)  # the session that holds the lease
    cancel_requested_at = models.DateTimeField(null=True)
    plan = models.JSONField(null=True)  # what pre-flight answered
    action_digest = models.CharField(max_length=64, blank=True)
    result = models.JSONField(null=True)
    # While its evidence is looked for: since when, until when, and what was seen last. `run_at` is
    # the moment of the next look then.
    verifying_since = models.DateTimeField(null=True)
    verify_until = models.DateTimeField(null=True)
    evidence = models.JSONField(null=True)  # what did not end the task; the rest is in its outcome

    created_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace_id", "dedupe_key"],
                condition=Q(state__in=_LIVE, dedupe_key__isnull=False),
                name="task_dedupe_live",
            ),
            models.UniqueConstraint(
                fields=["parent_id", "key"],
                condition=Q(parent_id__isnull=False),
                name="task_key_of_parent",
            ),
        ]
        indexes = [
            models.Index(fields=["run_id"], name="task_run"),
            # What the engine picks from, what a node claims from, what the reconciler sweeps.
            models.Index(
                fields=["state", "run_at"], condition=Q(state__in=_LIVE), name="task_live"
            ),
            models.Index(
                fields=["node", "state"],
                condition=Q(state__in=["preflight", "dispatched", "running", "verifying"]),
                name="task_on_node",
            ),
            models.Index(
                fields=["id"],
                condition=Q(state__in=["dispatched", "preflight"], lease_until=None) & ~Q(node=""),
                name="task_unclaimed",
            ),
            models.Index(
                fields=["lease_until"], condition=Q(lease_until__isnull=False), name="task_lease"
            ),
            models.Index(
                fields=["id"], condition=Q(state="blocked", waiting_on=0), name="task_unblocked"
            ),
            models.Index(fields=["id"], condition=Q(state="held"), name="task_held"),
            models.Index(
                fields=["id"],
                condition=Q(state="verifying", lease_until=None),
                name="task_left_behind",
            ),
            models.Index(
                fields=["deadline"],
                condition=Q(state__in=_LIVE, deadline__isnull=False),
                name="task_deadline",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill} {str(self.id)[-8:]} {self.state}"


class Edge(Owned):
    """`downstream` waits for `upstream` to end."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    upstream = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="edges_down")
    downstream = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="edges_up")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upstream", "downstream"], name="edge_once"),
            models.CheckConstraint(
                condition=~Q(upstream=models.F("downstream")), name="edge_not_to_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upstream_id} → {self.downstream_id}"


class Session(Owned):
    """One bounded run: one attempt of a task, or its pre-flight, in a process of its own (C-14)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="sessions")
    node = models.CharField(max_length=100)
    purpose = models.CharField(max_length=10)  # run, preflight
    attempt = models.PositiveIntegerField()
    epoch = models.PositiveIntegerField()
    version = models.CharField(max_length=64)
    grants = models.JSONField(default=dict)
    limits = models.JSONField(default=dict)
    pid = models.PositiveIntegerField(null=True)
    ended = models.CharField(
        max_length=20, blank=True
    )  # ok, failed, timeout, resource, cancelled, lost
    error_class = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True)
    output = models.TextField(blank=True)
    peak_memory_bytes = models.BigIntegerField(null=True)
    cpu_seconds = models.FloatField(null=True)
    # What it has spent, and which of the two it asked more of than it may have (C-15).
    tokens = models.BigIntegerField(db_default=0)
    dollars = models.DecimalField(max_digits=14, decimal_places=6, db_default=0)
    crossed = models.CharField(max_length=10, blank=True, db_default="")
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.purpose} {self.attempt} on {self.node}"


class OutputChunk(Owned):
    """A piece of what a running session has printed, gone soon after its end (C-17)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session_id = models.UUIDField()  # no foreign key: it is written often and soon gone
    start = models.BigIntegerField()  # how many characters the session printed before it
    text = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["session_id", "start"]
        constraints = [
            models.UniqueConstraint(fields=["session_id", "start"], name="output_once"),
        ]

    def __str__(self) -> str:
        return f"{len(self.text)} characters from {self.start}"


class Effect(Owned):
    """A side effect of a task: begun, then done; at most once over all attempts (C-9)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="effects")
    step = models.CharField(max_length=100)
    epoch = models.PositiveIntegerField()
    result = models.JSONField(null=True)
    begun_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "step"], name="effect_once"),
        ]

    def __str__(self) -> str:
        return self.step


class Artifact(Owned):
    """A file that a session left, kept by its hash (C-17)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="artifacts")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="artifacts")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["session", "name"], name="artifact_name"),
        ]
        indexes = [models.Index(fields=["sha256"], name="artifact_hash")]

    def __str__(self) -> str:
        return self.name


class QualityBar(models.Model):
    """What a verified result must be worth to be accepted: one row, in hundredths (D-16)."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    hundredths = models.PositiveSmallIntegerField(default=LOWEST)
    reviewed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_quality_bar"),
            models.CheckConstraint(
                condition=Q(hundredths__gte=LOWEST, hundredths__lte=HIGHEST),
                name="quality_bar_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hundredths / 100:.2f}"
