"""A run as it is followed: its tasks, and what it waits for from a person."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from autonomy.tasks.models import Task
from console.selectors import approvals, tasks
from console.selectors.approvals import ApprovalLine
from console.selectors.tasks import TaskLine
from firewall.selectors import waiting


@dataclass(frozen=True)
class Run:
    """All that grew from some requests, and the questions to a person among it."""

    tasks: tuple[TaskLine, ...]
    asked: tuple[ApprovalLine, ...]

    @property
    def over(self) -> bool:
        """Whether there was something to do and all of it has ended."""
        return bool(self.tasks) and all(task.over for task in self.tasks)


def run_of(requests: Collection[UUID]) -> Run:
    """The runs that these tasks began, as they are now; three statements."""
    lines = tasks.of_runs(requests)
    open_ = waiting().filter(task_id__in=[line.id for line in lines])
    return Run(tuple(lines), tuple(approvals.line(row) for row in open_))


def only(task: Task) -> Run:
    """One task by itself."""
    line = tasks.task(task.pk)
    asked = waiting().filter(task_id=task.pk)
    return Run((line,), tuple(approvals.line(row) for row in asked))
