"""What Flower watches through: the broker alone, without Django and its memory."""

import os

from celery import Celery

from config import logs
from console.host.known import known_secrets

logs.install(known_secrets(os.environ).text)
app = Celery("autonomy")
app.config_from_object("config.broker")
