from django.apps import AppConfig


class EngineConfig(AppConfig):
    name = "autonomy.engine"
    verbose_name = "Decisions"
