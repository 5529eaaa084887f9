"""`manage.py beat`: the ticker of schedules; it may run twice, or not at all for a while (E-4).

The same as `celery -A config.celery beat` without the other commands of Celery.
"""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string
from kombu.utils.imports import symbol_by_name


class Command(BaseCommand):
    """Ring for schedules that are due; what is due is decided by who hears it."""

    help = "Run the ticker of schedules."
    requires_system_checks: list[str] = []  # checked at set-up, not at every start

    def handle(self, *_: Any, **__: Any) -> None:
        """Tick until told to stop."""
        app = import_string(settings.CELERY_APP)
        # Loaded before Celery listens to signals: one that came in the middle of it would be lost.
        symbol_by_name(app.conf.beat_scheduler)
        app.Beat(loglevel=logging.WARNING, quiet=True).run()
