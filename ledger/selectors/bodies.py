"""What events say of people, where it was not erased."""

from collections.abc import Iterable
from uuid import UUID

from ledger.models import Body


def bodies(event_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The bodies of those of these events that have one; one statement, or none for none."""
    wanted = list(event_ids)
    if not wanted:
        return {}
    return dict(Body.objects.filter(event_id__in=wanted).values_list("event_id", "text"))
