"""How a task ended, and what that says about the node and the skill (D-12, D-13)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger.domain.ids import DEFAULT_WORKSPACE

BEST_VALUE = 2.0
"""A run in no time is worth as much as one in half the expected time, not more."""

BLAMED_ON_THE_TASK = frozenset({"permanent", "bad_input"})
"""Error classes that say nothing about the node."""


@dataclass(frozen=True)
class NewOutcome:
    """The one terminal record of a task, before it is stored (C-25). Seconds and dollars."""

    task_id: UUID
    epoch: int
    skill: str
    tier: int
    state: str
    node: str = ""
    session_id: UUID | None = None
    reason: str = ""
    verdict: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    decision_seconds: float | None = None
    queue_seconds: float = 0.0
    run_seconds: float = 0.0
    verify_seconds: float = 0.0
    expected_seconds: float = 0.0
    retries: int = 0
    dollars: Decimal = Decimal(0)
    tokens: int = 0
    quality: float | None = None
    error_class: str = ""
    canary: bool = False
    workspace_id: UUID = DEFAULT_WORKSPACE


@dataclass(frozen=True)
class Signal:
    """What one outcome says. `node` is empty where it says nothing about the node."""

    workspace_id: UUID
    node: str
    skill: str
    value: float
    succeeded: bool
    seconds: float


def signal(outcome: NewOutcome) -> Signal | None:
    """What the outcome says; nothing where nobody looked for evidence, or it was a canary's."""
    verified = outcome.state == "done" and outcome.verdict == "verified"
    if outcome.canary or not (verified or outcome.state == "failed"):
        return None
    innocent = not verified and outcome.error_class in BLAMED_ON_THE_TASK
    return Signal(
        workspace_id=outcome.workspace_id,
        node="" if innocent else outcome.node,
        skill=outcome.skill,
        value=_value(outcome) if verified else 0.0,
        succeeded=verified,
        seconds=outcome.run_seconds if verified else 0.0,
    )


def _value(outcome: NewOutcome) -> float:
    """clamp(expected ÷ actual, 0, 2)."""
    if outcome.run_seconds <= 0:
        return BEST_VALUE
    return min(max(outcome.expected_seconds / outcome.run_seconds, 0.0), BEST_VALUE)
