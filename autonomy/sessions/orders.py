"""What a session is asked to do, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from autonomy.domain.states import ErrorClass
from autonomy.sdk.scope import Scope
from autonomy.sdk.skill import Limits


class Purpose(StrEnum):
    """What a session is for."""

    RUN = "run"
    PREFLIGHT = "preflight"  # result: {"plan": Plan, "reads": {name: hash}}
    READS = "reads"  # result: {"reads": {name: hash}}
    VERIFY = "verify"  # result: Evidence
    RECONCILE = "reconcile"  # result: Settled
    DETECT = "detect"  # result: {"findings": [Finding]}
    LOOK = "look"  # a looker, which the pool begins by itself for detectors and queries


class End(StrEnum):
    """How a session ended."""

    OK = "ok"
    FAILED = "failed"
    TIMEOUT = "timeout"
    RESOURCE = "resource"
    CANCELLED = "cancelled"
    LOST = "lost"  # its lease ran out, or the zygote is gone
    REFUSED = "refused"  # it was never begun


class Order(BaseModel):
    """One session to be run. Everything in it is frozen when the session is spawned (C-15)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session_id: UUID
    task_id: UUID
    purpose: Purpose
    component: str
    version: str = ""
    """The version that must be loaded; empty accepts any."""
    args: dict[str, Any] = Field(default_factory=dict)
    attempt: int = 1
    nonce: str = ""
    folder: Path
    artifacts: Path
    temps: Path | None = None
    """Where its temporary folder is made; beside `folder` where nothing is said."""
    limits: Limits = Limits()
    scope: Scope = Scope()
    isolation: int = 0
    """The least that it needs, by `autonomy.domain.isolation`."""
    foreign_code: bool = False
    upstream: tuple[dict[str, Any], ...] = ()
    """`autonomy.sdk.context.Upstream` in JSON form."""
    idempotency_base: str = ""
    """Empty stands for the id of the task."""
    result: Any = None
    """For `verify`: what the session answered."""
    step: str = ""
    """For `reconcile`: the effect of unknown fate."""
    database_url: str = Field(default="", repr=False)
    """For `verify` and `detect`: of a role that can only read. Only lookers get to know it."""
    asks_database: bool = False
    """Whether queries are answered; set by the pool."""
    uid: int | None = None
    """The user the session becomes; needs a zygote that runs as root."""
    started_at: datetime | None = None
    """For `verify`: when the session started, by the database's clock."""
    waited_seconds: float = 0.0
    """For `verify`: since the session ended, by the same clock."""
    has_result: bool = True
    """For `verify`: whether the session lived to give one."""
    has_folder: bool = True
    has_artifacts: bool = True
    """For `verify`: whether what the session left is here, or lost with the node it ran on."""
    due_at: datetime | None = None
    now: datetime | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    """`due_at`, `now` and `params` are for `detect`."""


@dataclass(frozen=True)
class Assignment:
    """An order as the session that was forked for it knows it: checked by whoever sent it."""

    purpose: Purpose
    folder: Path
    artifacts: Path
    task_id: UUID
    args: dict[str, Any]
    attempt: int
    nonce: str
    upstream: tuple[dict[str, Any], ...]
    idempotency_base: str
    result: Any
    step: str
    asks_database: bool
    started_at: datetime | None
    waited_seconds: float
    has_result: bool
    has_folder: bool
    has_artifacts: bool
    scope: Scope


class Report(BaseModel):
    """How a session ended, in the words of those who watched it."""

    model_config = ConfigDict(frozen=True)

    ended: End
    limit: str = Field(default="", max_length=20)
    """Which limit was crossed: wall, cpu, memory, processes, disk, output, result, open_files.

    Of a session that was refused, what it lacked: `isolation`.
    """
    error_class: ErrorClass | None = None
    error: str = ""
    ambiguous: bool = False
    result: Any = None
    output: str = ""
    output_truncated: bool = False
    peak_memory_bytes: int = 0
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    exit_status: int | None = None
    signal: int | None = None
