"""`manage.py engine`: run the decision engine."""

import logging
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from autonomy.engine.services.doorbells import Doorbells
from autonomy.engine.services.loop import Engine


class Command(BaseCommand):
    """Run until SIGTERM or SIGINT; a second engine is a hot spare."""

    help = "Run the decision engine (one leads, any others are hot spares)."
    requires_system_checks: list[str] = []  # checked at set-up, not at every start

    def handle(self, *_: Any, **__: Any) -> None:
        """Start the loop."""
        logging.getLogger("autonomy").info("engine starts")
        engine = Engine(Doorbells(import_string(settings.CELERY_APP)).ring)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: engine.stopping.set())
        engine.run()
