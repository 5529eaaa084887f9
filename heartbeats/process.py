"""Beat: a ticker only. What it rings for is due by its schedule alone, rung for or not (E-4)."""

from typing import Any

from django_celery_beat.models import IntervalSchedule
from django_celery_beat.schedulers import DatabaseScheduler

from heartbeats.services.putting import DOORBELL

RUNG_FROM_SECONDS = 10


class Beat(DatabaseScheduler):  # type: ignore[misc]
    """Rings for watches, but not for those so frequent that nodes look at them first anyway.

    A message costs beat and a worker milliseconds each; one sweep of a node finds all that is due.
    """

    def enabled_models_qs(self) -> Any:
        """The rows to ring for."""
        return (
            super()
            .enabled_models_qs()
            .exclude(
                task=DOORBELL,
                interval__period=IntervalSchedule.SECONDS,
                interval__every__lt=RUNG_FROM_SECONDS,
            )
        )
