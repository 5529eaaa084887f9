from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "autonomy.tasks"
    verbose_name = "Work"
