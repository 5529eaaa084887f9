"""The bell that beat rings when a schedule may be due; a tick comes of the schedule alone (C-2)."""

import logging
from uuid import UUID

from celery import shared_task

from heartbeats import services
from heartbeats.services.putting import DOORBELL

logger = logging.getLogger(__name__)


@shared_task(name=DOORBELL)
def tick(*, watch: str = "", **_: object) -> None:
    """Look whether the watch is due. Lost, doubled or forged, this message changes nothing."""
    try:
        only = [UUID(str(watch))]
    except ValueError:
        logger.warning("a doorbell rang for %.50r, which is no watch", watch)
        return
    services.notice(only)
