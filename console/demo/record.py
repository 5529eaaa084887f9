"""What is kept of the last run of the main job; docs/steward-last.schema.json is made of it."""

import json
import sys
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """A frozen part of the record; the schema in docs allows nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ending(StrEnum):
    """How the main job ended."""

    MERGED = "merged"  # the fix is what origin's branch stands on now
    REJECTED = "rejected"  # a person said no, and origin is as it was
    HELD = "held"  # it waits for a person
    NO_FIX = "no_fix"  # none was offered; the report says why
    UNPROVEN = "unproven"  # a task ended otherwise than it should have
    UNFINISHED = "unfinished"  # its time was up


class Check(Shape):
    """One thing a verifier looked at."""

    looked_at: str
    expected: str
    seen: str
    verdict: str


class TaskRecord(Shape):
    """One task of the run."""

    id: UUID
    key: str
    skill: str
    tier: int
    node: str
    state: str
    reason: str
    verdict: str = Field(description="Empty while the task is not over.")
    evidence: tuple[Check, ...]
    attempts: int
    seconds: float | None = Field(description="From the start of its last session to its end.")
    placement: str = Field(description="Why it ran on that node: the words of the decision.")


class ApprovalRecord(Shape):
    """One question to a person, and the answer."""

    id: UUID
    task_id: UUID
    skill: str
    action_digest: str
    requested_by: str
    decision: str
    decided_by: str
    decided_at: datetime | None
    comment: str


class LedgerRecord(Shape):
    """Whether the chain of events is whole."""

    ok: bool
    blocks: int
    events: int
    head: str
    problem: str


class RepositoryRecord(Shape):
    """What was looked after."""

    source: str = Field(description="What REPO named; it was only read.")
    origin: str = Field(description="The bare copy that was worked on.")
    branch: str
    commit: str = Field(description="Where the branch stood at the start.")
    now: str = Field(description="Where it stands at the end.")


class Places(Shape):
    """Where to look next."""

    console: str
    logs: str
    report: str = Field(description="The report as a file; empty when there is none.")


class Record(Shape):
    """One run of the main job."""

    ending: Ending
    words: str
    exit: int
    started_at: datetime
    ended_at: datetime
    seconds: float
    repository: RepositoryRecord
    tasks: tuple[TaskRecord, ...]
    approvals: tuple[ApprovalRecord, ...]
    ledger: LedgerRecord
    places: Places


if __name__ == "__main__":
    sys.stdout.write(json.dumps(Record.model_json_schema(), indent=2) + "\n")
