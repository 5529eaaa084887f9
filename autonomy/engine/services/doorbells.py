"""Ringing nodes: best effort, after the commit, never waited for (C-2)."""

import logging
import time
from collections.abc import Iterable

from celery import Celery

from autonomy.domain.doorbells import RING, queue_of

logger = logging.getLogger(__name__)

QUIET_SECONDS = 3.0


class Doorbells:
    """Rings through Celery; after a failure it is quiet for a moment, since nodes also look."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        self._quiet_until = 0.0

    def ring(self, bells: Iterable[tuple[str, int]]) -> None:
        """One message per node and tier that was given work."""
        if time.monotonic() < self._quiet_until:
            return
        for node, tier in sorted(bells):
            try:
                self._send(node, tier)
            except Exception as error:  # noqa: BLE001 -- kombu raises what its transport raises
                logger.warning("doorbells are quiet for %s s: %s", QUIET_SECONDS, error)
                self._quiet_until = time.monotonic() + QUIET_SECONDS
                return

    def _send(self, node: str, tier: int) -> None:
        self._celery.send_task(
            RING,
            kwargs={"node": node, "tier": tier},
            queue=queue_of(node, tier),
            retry=False,
            expires=60,
        )
