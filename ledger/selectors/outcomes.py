"""How tasks ended, one by one."""

from collections.abc import Iterable
from uuid import UUID

from ledger.models import Outcome


def outcomes_of(task_ids: Iterable[UUID]) -> dict[UUID, Outcome]:
    """The outcomes of those of these tasks that have ended."""
    return Outcome.objects.in_bulk(list(task_ids))
