"""Every address the platform answers at."""

from django.contrib import admin
from django.urls import path

from console import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
]
