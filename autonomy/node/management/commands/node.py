"""`manage.py node`: run this machine, or a part of it, as a node.

The same as `celery -A config.celery worker -P solo …` without the other commands of Celery, which
take 22 MB in each process.
"""

import logging
import sys
from argparse import ArgumentParser
from typing import Any

from celery.concurrency import get_implementation
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from autonomy.domain.doorbells import queue_of

HEARTBEAT_SECONDS = 15


class Command(BaseCommand):
    """Run a Celery worker that hears doorbells, with the supervisor of this node beside it."""

    help = "Run a node: it claims, runs and verifies what the engine gives it."
    requires_system_checks: list[str] = []  # checked at set-up, not at every start

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The name is the one thing that differs between nodes of a machine."""
        parser.add_argument("--name", default=settings.AUTONOMY_NODE)

    def handle(self, *_: Any, name: str, **__: Any) -> None:
        """Work until told to stop."""
        settings.AUTONOMY_NODE = name
        queues = [*(queue_of(name, tier) for tier in settings.AUTONOMY_TIERS), "ticks"]
        worker = import_string(settings.CELERY_APP).Worker(
            hostname=f"{name}@%h",
            pool_cls=get_implementation("solo"),
            queues=queues,
            loglevel=logging.WARNING,
            without_gossip=True,
            without_mingle=True,
            heartbeat_interval=HEARTBEAT_SECONDS,
            quiet=True,
        )
        worker.start()
        sys.exit(worker.exitcode)
