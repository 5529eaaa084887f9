"""What is kept of a session that ended, and of the files it left (C-17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.postgres.functions import TransactionNow

from autonomy.tasks.models import Artifact, Session
from ledger.domain.storable import text

RELEASED = "released"
"""How a session ended whose node was told to stop: neither well nor badly."""


_MOST_ROWS = 5_000
"""In one statement, which holds at most 65,535 values."""


@dataclass(frozen=True)
class Kept:
    """A file a session left, already in the store."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class SessionEnd:
    """What is kept of a session that ended."""

    ended: str
    error_class: str = ""
    error: str = ""
    output: str = ""
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None
    artifacts: Sequence[Kept] = ()


def close_sessions(closed: Sequence[tuple[UUID, UUID, SessionEnd]]) -> None:
    """Keep how sessions ended, and what they left: (session, task, end)."""
    if not closed:
        return
    Session.objects.bulk_update(
        [_session(session_id, end) for session_id, _, end in closed],
        ["ended", "error_class", "error", "output", "peak_memory_bytes", "cpu_seconds", "ended_at"],
    )
    kept = [
        Artifact(
            task_id=task_id,
            session_id=session_id,
            name=file.name,
            sha256=file.sha256,
            size=file.size,
        )
        for session_id, task_id, end in closed
        for file in end.artifacts
    ]
    Artifact.objects.bulk_create(kept, batch_size=_MOST_ROWS)


def _session(session_id: UUID, end: SessionEnd) -> Session:
    return Session(
        id=session_id,
        ended=end.ended,
        error_class=end.error_class,
        error=text(end.error),
        output=text(end.output),
        peak_memory_bytes=end.peak_memory_bytes,
        cpu_seconds=end.cpu_seconds,
        ended_at=TransactionNow(),
    )
