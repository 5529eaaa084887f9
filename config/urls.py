"""Every address the platform answers at."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from console import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("console.api.urls")),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
]
