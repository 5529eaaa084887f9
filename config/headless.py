"""Settings of the processes that show no page: the same, without what only pages need."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as _ALL

_OF_PAGES = {
    "unfold",
    "django.contrib.admin",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
}
INSTALLED_APPS = [app for app in _ALL if app not in _OF_PAGES]
MIDDLEWARE = []
ROOT_URLCONF = ""
TEMPLATES = []
