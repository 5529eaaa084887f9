"""What Flower watches through: the broker alone, without Django and its memory."""

from celery import Celery

app = Celery("autonomy")
app.config_from_object("config.broker")
