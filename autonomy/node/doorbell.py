"""The doorbell: a message that says this node has work, not which (C-2)."""

import threading
from collections.abc import Callable

from celery import shared_task

from autonomy.domain.doorbells import RING

_here: list[Callable[[], None]] = []
_lock = threading.Lock()


def answered_by(ring: Callable[[], None] | None) -> None:
    """Name what this process's doorbells do; None for nothing any more."""
    with _lock:
        _here[:] = [] if ring is None else [ring]


@shared_task(name=RING)
def doorbell(**_: object) -> None:
    """Wake the supervisor; whatever else the message says is not looked at."""
    for ring in tuple(_here):
        ring()
