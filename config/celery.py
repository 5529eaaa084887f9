"""The Celery application: transport of doorbells and ticks."""

import os

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("autonomy")
app.config_from_object("config.broker")


@worker_init.connect
def _become_a_node(**_: object) -> None:
    """Only in a worker: what hears messages, and the supervisor. Every other process only sends."""
    from autonomy.node.process import SupervisorStep  # noqa: PLC0415

    app.autodiscover_tasks(["autonomy.node", "heartbeats"], related_name="doorbell", force=True)
    app.steps["worker"].add(SupervisorStep)
