"""`manage.py beat`: the ticker of schedules; it may run twice, or not at all for a while (E-4).

The same as `celery -A config.celery beat` without the other commands of Celery.
"""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string


class Command(BaseCommand):
    """Ring for schedules that are due; what is due is decided by who hears it."""

    help = "Run the ticker of schedules."
    requires_system_checks: list[str] = []  # checked at set-up, not at every start

    def handle(self, *_: Any, **__: Any) -> None:
        """Tick until told to stop."""
        beat = import_string(settings.CELERY_APP).Beat(loglevel=logging.WARNING, quiet=True)
        beat.run()
