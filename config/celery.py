"""The Celery application: transport of doorbells and ticks."""

import os

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("autonomy")
app.config_from_object("config.broker")
app.autodiscover_tasks(["autonomy.node", "heartbeats"], related_name="doorbell")


@worker_init.connect
def _supervise(**_: object) -> None:
    """Only in a worker: load the supervisor, which every other process can do without."""
    from autonomy.node.process import SupervisorStep  # noqa: PLC0415

    app.steps["worker"].add(SupervisorStep)
