"""What a node reads before it claims and runs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from autonomy.domain.states import State
from autonomy.systemmap.models import Node
from autonomy.tasks.models import Artifact, Edge, Effect, Session, Task
from firewall.models import Approval
from firewall.selectors import binding, given
from ledger.models import Outcome


@dataclass(frozen=True)
class Offer:
    """A task that was dispatched to this node and is not claimed."""

    task_id: UUID
    epoch: int
    skill: str
    tier: int
    args: dict[str, Any]
    state: str
    requested_by: str
    attempt: int
    max_attempts: int
    estimate_seconds: float
    allowed: bool = False  # a person was asked about it, and said yes

    @property
    def purpose(self) -> str:
        """What claiming it starts."""
        return "preflight" if self.state == State.PREFLIGHT else "run"


def offers(node: str, limit: int) -> list[Offer]:
    """What waits here to be claimed, oldest dispatch first; one statement."""
    waiting = Task.objects.filter(
        node=node,
        state__in=[State.DISPATCHED, State.PREFLIGHT],
        lease_until=None,
        cancel_requested_at=None,
    )
    said_yes = Exists(binding(given(Approval.objects.filter(task_id=OuterRef("id")))))
    rows = waiting.annotate(allowed=said_yes).order_by("dispatched_at", "id")[:limit]
    return [_offer(task, allowed=task.allowed) for task in rows]


def _offer(task: Task, *, allowed: bool) -> Offer:
    return Offer(
        task_id=task.id,
        epoch=task.epoch,
        skill=task.skill,
        tier=task.tier,
        args=task.resolved or {},
        state=task.state,
        requested_by=task.requested_by,
        attempt=task.attempt,
        max_attempts=task.max_attempts,
        estimate_seconds=task.estimate_seconds,
        allowed=allowed,
    )


GONE_SECONDS = 60
"""A node that has not been seen for so long does not come back for its verifications."""


@dataclass(frozen=True)
class LeftBehind:
    """A session whose evidence nobody looks for any more."""

    task_id: UUID
    session_id: UUID


def left_behind(node: str, skills: Collection[str], limit: int) -> list[LeftBehind]:
    """What this node can go on verifying: its own, and that of nodes that are gone."""
    cutoff = Now() - timedelta(seconds=GONE_SECONDS)
    living = Node.objects.filter(name=OuterRef("node"), seen_at__gt=cutoff)
    rows = _unwatched().filter(Q(node=node) | ~Exists(living), skill__in=skills)
    ids = rows.order_by("id").values_list("id", "session_id")[:limit]
    return [LeftBehind(task_id, session_id) for task_id, session_id in ids if session_id]


def to_be_verified(node: str) -> set[str]:
    """The sessions of a node whose folders are still needed."""
    rows = Task.objects.filter(node=node, state=State.VERIFYING)
    return {str(session_id) for session_id in rows.values_list("session_id", flat=True)}


@dataclass(frozen=True)
class Unverified:
    """A task that is taken on after its session: what it answered and left, what is not known."""

    offer: Offer
    result: Any
    artifacts: dict[str, str]  # name → sha256
    begun: tuple[str, ...]  # effects of unknown fate, of a session that gave no result


def unverified(task_id: UUID, session_id: UUID) -> Unverified:
    """A task as its verifier needs it, after this session."""
    task = Task.objects.get(id=task_id)
    session = Session.objects.get(id=session_id)
    kept = Artifact.objects.filter(session=session).values_list("name", "sha256")
    begun = Effect.objects.filter(task=task, done_at=None).order_by("id")
    steps = () if session.ended == "ok" else tuple(begun.values_list("step", flat=True))
    return Unverified(_offer(task, allowed=False), task.result, dict(kept), steps)


def _unwatched() -> QuerySet[Task]:
    return Task.objects.filter(state=State.VERIFYING, lease_until=None, cancel_requested_at=None)


@dataclass(frozen=True)
class Permission:
    """An approval that stands: what it was given for, and until when."""

    action_digest: str
    expires_at: datetime


def permissions(task_id: UUID) -> list[Permission]:
    """The approvals of a task that have been given and have not expired, the latest first."""
    standing = given(Approval.objects.filter(task_id=task_id)).order_by("-decided_at")
    return [Permission(*row) for row in standing.values_list("action_digest", "expires_at")]


@dataclass(frozen=True)
class UpstreamTask:
    """How a dependency ended and what it left."""

    task_id: UUID
    key: str
    skill: str
    state: str
    verdict: str
    reason: str
    node: str
    seconds: float
    result: Any
    attempts: int
    artifacts: dict[str, str]  # name → sha256


def upstream_of(task_id: UUID) -> list[UpstreamTask]:
    """The direct dependencies of a task, in the order of their keys; four statements."""
    ids = list(Edge.objects.filter(downstream_id=task_id).values_list("upstream_id", flat=True))
    if not ids:
        return []
    outcomes = {o.task_id: o for o in Outcome.objects.filter(task_id__in=ids)}
    kept: dict[UUID, dict[str, str]] = {}
    for row in Artifact.objects.filter(task_id__in=ids).order_by("id"):
        kept.setdefault(row.task_id, {})[row.name] = row.sha256
    return [
        UpstreamTask(
            task_id=task.id,
            key=task.key or task.skill,
            skill=task.skill,
            state=task.state,
            verdict=outcomes[task.id].verdict if task.id in outcomes else "",
            reason=task.reason,
            node=task.node,
            seconds=outcomes[task.id].run_seconds if task.id in outcomes else 0.0,
            result=task.result,
            attempts=task.attempt,
            artifacts=kept.get(task.id, {}),
        )
        for task in Task.objects.filter(id__in=ids).order_by("key", "id")
    ]


def already_closed(session_ids: Sequence[UUID]) -> set[UUID]:
    """Which sessions were settled: asked after a commit whose answer was lost."""
    closed = Session.objects.filter(~Q(ended=""), id__in=session_ids)
    return set(closed.values_list("id", flat=True))


def overspent(session_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Which of these sessions asked for more than they may spend, and of what; one statement."""
    marked = Session.objects.filter(id__in=session_ids).exclude(crossed="")
    return dict(marked.values_list("id", "crossed"))
