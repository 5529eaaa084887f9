"""How one try of a skill ended, in the words that a task would end with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from autonomy.domain.states import ErrorClass, State
from autonomy.sdk.evidence import Check, Evidence, Verdict
from autonomy.sdk.plan import Plan
from autonomy.sessions.orders import Report


@dataclass(frozen=True)
class Tried:
    """One attempt of one task."""

    task_id: UUID
    attempt: int
    skill: str
    args: Mapping[str, Any]
    state: State
    """`done`, `failed`, `rejected` by its pre-flight, or `held` where a person would be asked."""
    report: Report
    """Of the session that came last."""
    started_at: datetime | None = None
    plan: Plan | None = None
    reads: Mapping[str, str] = field(default_factory=dict)
    result: Any = None
    evidence: Evidence | None = None
    output: str = ""
    folder: Path = Path()
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    """Kept until the bench ends."""
    said: tuple[str, ...] = ()
    submitted: tuple[Mapping[str, Any], ...] = ()
    """The tasks it asked for; none of them is run."""

    @property
    def verdict(self) -> Verdict | None:
        """What the verifier found; None when it did not come to that."""
        return self.evidence.verdict if self.evidence else None

    @property
    def error_class(self) -> ErrorClass | None:
        """How its failure would be treated."""
        return self.report.error_class

    @property
    def why(self) -> str:
        """Why it did not end as done and verified; empty when it did."""
        if self.report.error:
            return self.report.error
        if self.state is State.REJECTED and self.plan:
            return f"pre-flight: {self.plan.summary}"
        if self.evidence is None or self.verdict is Verdict.VERIFIED:
            return ""
        return "; ".join(map(_told, self.evidence.checks)) or "the skill has no verifier"


def _told(check: Check) -> str:
    return f"{check.looked_at}: expected {check.expected}, seen {check.seen} ({check.verdict})"
