"""The doorbell: a message that says this node has work, not which (C-2)."""

import threading

from celery import shared_task

from autonomy.domain.doorbells import RING
from autonomy.node.services.supervisor import Supervisor

_here: list[Supervisor] = []
_lock = threading.Lock()


def answered_by(supervisor: Supervisor | None) -> None:
    """Name the supervisor that this process's doorbells ring for."""
    with _lock:
        _here[:] = [] if supervisor is None else [supervisor]


@shared_task(name=RING)
def ring(**_: object) -> None:
    """Wake the supervisor; whatever else the message says is not looked at."""
    for supervisor in tuple(_here):
        supervisor.ring()
