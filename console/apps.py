"""The app."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The operator's face: command line, admin, health."""

    name = "console"
    label = "console"
    verbose_name = "People"
