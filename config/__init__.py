"""Composition: settings, the Celery app, URLs; the only place that knows every app."""
