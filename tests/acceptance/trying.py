"""A bad skill and its neighbour, tried side by side on one node."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from autonomy.domain.states import State
from autonomy.tasks import services
from autonomy.tasks.models import Session, Task
from ledger.models import Event
from tests.support.platform import PERSON, ended, reached, until


@dataclass(frozen=True)
class Trial:
    """A bad skill and its neighbour, when both have ended."""

    bad: Task
    neighbour: Task
    overlapped: bool


class Trying:
    """Tries one bad skill after the other, each beside a neighbour."""

    def __init__(self, gate: Path) -> None:
        self.gate = gate

    def pair(self, name: str, args: dict[str, Any]) -> Trial:
        """Begin the neighbour, then the bad one; let the neighbour end when the bad one has."""
        try:
            token = f"{name}-{time.monotonic_ns()}"
            neighbour = self._submit("neighbour", gate=str(self.gate), name=token)
            reached(neighbour, State.RUNNING)
            bad = self._submit(name, **args)
            if name == "stays_deaf":
                self._cancel(bad)
            task = ended(bad)
            (self.gate / token).touch()
            return Trial(task, ended(neighbour), _overlapped(bad, neighbour))
        finally:
            connection.close()  # of this thread

    def run(self, name: str, **args: Any) -> Task:
        """Run one alone."""
        return ended(self._submit(name, **args))

    def _cancel(self, task_id: UUID) -> None:
        """When it has made itself deaf."""
        said = Event.objects.filter(type="session_said", stream_id=str(task_id))
        until(task_id, lambda _: said.exists())
        services.cancel([task_id], actor=PERSON, reason="does not hear")

    @staticmethod
    def _submit(skill: str, /, **args: Any) -> UUID:
        return services.submit(skill, args, origin=PERSON, requested_by=PERSON).task_id


def _overlapped(bad: UUID, neighbour: UUID) -> bool:
    """Whether the neighbour was at work all the time that the bad one was."""
    one, other = (Session.objects.get(task_id=task_id) for task_id in (bad, neighbour))
    return (
        one.node == other.node
        and other.started_at <= one.started_at
        and one.ended_at is not None
        and other.ended_at is not None
        and one.ended_at <= other.ended_at
    )
