from django.apps import AppConfig


class SystemMapConfig(AppConfig):
    name = "autonomy.systemmap"
