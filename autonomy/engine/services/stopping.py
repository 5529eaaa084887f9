"""The big red button: nothing starts, and what runs is told to end when asked (F-11)."""

from django.contrib.auth.models import User

from autonomy.tasks.models import Task
from autonomy.tasks.services import cancel
from firewall import services as firewall
from firewall.services import Turned

BATCH = 200
MOST_BATCHES = 500


def stop(person: User, *, reason: str, now: bool = False) -> tuple[Turned, int]:
    """Stop everything; with `now` also end what runs. How many sessions were told to end."""
    turned = firewall.stop(person, reason=reason)
    return turned, end_running(by=turned.by, reason=reason) if now else 0


def end_running(*, by: str, reason: str) -> int:
    """Tell every session that holds a lease to end, a bounded number at a time."""
    told = 0
    for _ in range(MOST_BATCHES):
        running = Task.objects.filter(lease_until__isnull=False, cancel_requested_at=None)
        ids = list(running.order_by("id").values_list("id", flat=True)[:BATCH])
        if not ids:
            break
        told += len(cancel(ids, actor=by, reason=f"everything was stopped: {reason}"))
    return told
