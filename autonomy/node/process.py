"""A node inside a Celery worker: the worker hears doorbells, a thread supervises."""

import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any

from celery import bootsteps
from django.conf import settings
from django.utils.module_loading import import_string

from autonomy.node import doorbell
from autonomy.node.services.artifacts import ArtifactStore
from autonomy.node.services.supervisor import Supervisor
from autonomy.node.services.turn import Part
from autonomy.node.services.workplace import Node
from autonomy.tasks.selectors import artifacts

logger = logging.getLogger(__name__)

STOP_SECONDS = 20.0
PRIVATE = ("secrets", "run", "anchor", "logs")


class SupervisorStep(bootsteps.StartStopStep):
    """Starts the supervisor with the worker and ends it with the worker."""

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.supervisor: Supervisor | None = None
        self.thread: threading.Thread | None = None

    def start(self, parent: Any) -> None:
        """Start the thread. When it ends by itself, the worker has nothing left to do."""
        supervisor = Supervisor(node_here(), ArtifactStore(artifacts.storage()), parts())
        self.supervisor = supervisor
        doorbell.answered_by(supervisor.ring)
        self.thread = threading.Thread(
            target=self._supervise, args=(supervisor,), name="supervisor", daemon=True
        )
        self.thread.start()

    def stop(self, parent: Any) -> None:
        """Let the supervisor end its sessions and leave the map."""
        doorbell.answered_by(None)
        if self.supervisor is not None and self.thread is not None:
            self.supervisor.stop()
            self.thread.join(STOP_SECONDS)

    @staticmethod
    def _supervise(supervisor: Supervisor) -> None:
        try:
            supervisor.run()
        except Exception:
            logger.exception("the supervisor of node %s failed", supervisor.node.name)
        finally:
            if not supervisor.stopping:  # a worker without its supervisor is worse than none
                os.kill(os.getpid(), signal.SIGTERM)


def node_here() -> Node:
    """This node as its settings describe it."""
    return Node(
        name=settings.AUTONOMY_NODE,
        slots=settings.AUTONOMY_SLOTS,
        tiers=tuple(settings.AUTONOMY_TIERS),
        labels=tuple(settings.AUTONOMY_LABELS),
        folder=Path(settings.AUTONOMY_WORK) / "sessions" / settings.AUTONOMY_NODE,
        skills=tuple(settings.AUTONOMY_SKILLS),
        protected=(
            settings.AUTONOMY_ARTIFACTS,
            *(settings.AUTONOMY_HOME / kept for kept in PRIVATE),
        ),
        verifier_url=settings.AUTONOMY_VERIFIER_URL,
        reader_url=settings.AUTONOMY_READER_URL,
        known=settings.AUTONOMY_SECRETS.current,
    )


def parts() -> list[Part]:
    """What the other apps do on every node; composed in the settings, never taken from data."""
    return [import_string(path) for path in settings.AUTONOMY_NODE_PARTS]
