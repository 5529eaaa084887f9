"""The addresses of the API."""

from django.urls import path, re_path

from console.api import views
from console.api.door import Nowhere

urlpatterns = [
    path("tasks", views.Tasks.as_view(), name="api-tasks"),
    path("tasks/<uuid:task_id>", views.TaskDetail.as_view(), name="api-task"),
    path("sessions/<uuid:session_id>", views.SessionDetail.as_view(), name="api-session"),
    path("sessions/<uuid:session_id>/output", views.Output.as_view(), name="api-output"),
    path("outcomes", views.Outcomes.as_view(), name="api-outcomes"),
    path("figures", views.Figures.as_view(), name="api-figures"),
    re_path(r"^.*$", Nowhere.as_view(), name="api-nowhere"),
]
