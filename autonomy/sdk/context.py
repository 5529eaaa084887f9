"""What a skill and a verifier are given: the only way to the outside of their session."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from autonomy.sdk.errors import FilesLost
from autonomy.sdk.references import Ref


@dataclass(frozen=True)
class Upstream:
    """How a task that this one depends on ended."""

    task_id: UUID
    key: str
    skill: str
    state: str
    verdict: str | None
    reason: str
    node: str
    seconds: float
    result: Any
    attempts: int
    artifacts: Mapping[str, Path]


@dataclass(frozen=True)
class ProcessSeen:
    """A process of the node's machine, as far as a verifier may know of it."""

    pid: int
    name: str
    status: str
    """As the system calls it: running, sleeping, zombie …"""
    started_at: datetime


@dataclass(frozen=True)
class Submission:
    """A task that a session asks for.

    `key` names it within the session's task, so that a repeated attempt asks only once;
    `depends_on` takes keys of the same session or ids of tasks.
    """

    key: str
    skill: str
    args: Mapping[str, Any]
    depends_on: Sequence[str | UUID] = ()
    always_run: bool = False
    allow_failure: bool = False


class Context(Protocol):
    """What a running skill sees. Everything here was frozen when the session was spawned."""

    task_id: UUID
    attempt: int
    nonce: str
    """Four random bytes in hex, fresh in each attempt: for names of branches and folders (W-4)."""
    folder: Path
    """Private, empty at the start, gone after verification."""
    artifacts: Path
    """Files left here are kept, also when the session fails."""
    upstream: Mapping[str, Upstream]
    """The tasks this one depends on, by key."""

    def idempotency_key(self, step: str) -> str:
        """The same for every attempt of this task: give it to services that accept one (C-9)."""

    def effect(self, step: str, act: Callable[[], Any], *, repeatable: bool = False) -> Any:
        """Do `act` at most once over all attempts of this task, and keep its JSON result (C-9).

        Where an earlier attempt began it and did not come to its end, the skill's `reconcile` hook
        says whether it happened. Without one it is done again if it is `repeatable`, so that twice
        is as good as once (the receiver knows the idempotency key); else Ambiguous is raised.
        """

    def submit(self, submissions: Sequence[Submission]) -> dict[str, UUID]:
        """Ask for tasks, all or none; returns their ids by key."""

    def result_of(self, key: str, path: str = "") -> Ref:
        """Stands, in another submission, for a field of the result of the one named `key`."""

    def say(self, text: str) -> None:
        """A line of progress for whoever watches."""


@dataclass(frozen=True)
class VerifierContext:
    """What a verifier sees: the folder the session left, what it kept, a reader of the ledger."""

    task_id: UUID
    own_folder: Path | None = field(repr=False)
    kept: Mapping[str, Path] | None = field(repr=False)
    own_artifacts: Path | None = field(repr=False)
    started_at: datetime
    """When the session started, by the database's clock."""
    upstream: Mapping[str, Upstream]
    query: Callable[..., list[dict[str, Any]]] = field(repr=False)
    """`query(sql, params)`: rows of a short READ ONLY query as the verifier role."""
    process: Callable[[int], ProcessSeen | None] = field(repr=False)
    """`process(pid)`: a process of the node's machine, seen from outside of any sandbox."""

    @property
    def folder(self) -> Path:
        """What the session left; raises FilesLost when it is gone with the node it was on."""
        if self.own_folder is None:
            raise FilesLost("the folder of the session is gone with the node that it ran on")
        return self.own_folder

    @property
    def artifacts(self) -> Mapping[str, Path]:
        """The files that the session kept, by name; raises FilesLost."""
        if self.kept is None:
            raise FilesLost("the artifacts of the session are on a node that is gone")
        return self.kept

    @property
    def artifacts_folder(self) -> Path:
        """Where they lie; raises FilesLost."""
        if self.own_artifacts is None:
            raise FilesLost("the artifacts of the session are on a node that is gone")
        return self.own_artifacts
