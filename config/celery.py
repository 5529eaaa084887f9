"""The Celery application: transport of doorbells and ticks."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("autonomy")
app.config_from_object("django.conf:settings", namespace="CELERY")
