"""Settings of every process. What an operator may set comes from the environment (O-3)."""

import os
from pathlib import Path

from config import admin, artifacts, environment
from console.host.known import known_secrets

BASE_DIR = Path(__file__).resolve().parent.parent
AUTONOMY_HOME = Path(environment.text("AUTONOMY_HOME", str(BASE_DIR / "var")))

# Kept out of logs, outputs, events and errors, as are those of a session's own (security.md, 4.9).
AUTONOMY_SECRETS = known_secrets(os.environ, AUTONOMY_HOME / "secrets")
LOGGING_CONFIG = "config.logs.configure"
LOGGING = {"version": 1, "disable_existing_loggers": False}

DEBUG = False
SECRET_KEY = environment.text("SECRET_KEY")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "ledger",
    "firewall",
    "autonomy.systemmap",
    "autonomy.tasks",
    "autonomy.engine",
    "autonomy.node",
    "heartbeats",
    "console",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# A statement is planned once for each connection. A pooler that lends connections by transaction
# knows nothing of that, so behind one each statement is sent whole.
_PREPARED = (
    {}
    if environment.switch("AUTONOMY_POOLER")
    else {
        "server_side_binding": True,
        "prepare_threshold": 3,
    }
)
# The owner's URL serves migrations; every other process is given the URL of its role.
DATABASES = {
    "default": {
        **environment.database(environment.text("DATABASE_URL")),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_PREPARED,
            "connect_timeout": 5,
            "options": "-c statement_timeout=15000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=60000",
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
TIME_ZONE = environment.text("TZ", "UTC") or "UTC"
USE_TZ = True

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

UNFOLD = admin.UNFOLD

# Shut unless a door opens it: no pages to browse, no cookies, no forms.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["console.api.people.Bearer"],
    "DEFAULT_PERMISSION_CLASSES": ["console.api.people.Permitted"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "console.api.problems.problem",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "STRICT_JSON": True,
}

REDIS_URL = environment.text("REDIS_URL")
AUTONOMY_SKILLS = [Path(folder) for folder in environment.words("AUTONOMY_SKILLS")]
if environment.switch("AUTONOMY_CODE_SKILLS"):
    AUTONOMY_SKILLS.append(BASE_DIR / "autonomy" / "skills")
AUTONOMY_ARTIFACTS = AUTONOMY_HOME / "artifacts"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "artifacts": artifacts.storage(AUTONOMY_ARTIFACTS),
}
# Where sessions have their folders: every user that a session runs as must be able to reach it.
AUTONOMY_WORK = Path(environment.text("AUTONOMY_WORK", str(AUTONOMY_HOME / "work")))
AUTONOMY_READER_URL = environment.text("AUTONOMY_READER_URL")
AUTONOMY_VERIFIER_URL = environment.text("AUTONOMY_VERIFIER_URL")

AUTONOMY_NODE = environment.text("AUTONOMY_NODE", "n1")
AUTONOMY_SLOTS = int(environment.number("AUTONOMY_SLOTS", 2))
AUTONOMY_TIERS = [int(tier) for tier in environment.words("AUTONOMY_TIERS", "1,2,3")]
AUTONOMY_LABELS = environment.words("AUTONOMY_LABELS")
# What each app does on every node, about every second.
AUTONOMY_NODE_PARTS = ["config.parts.watch", "config.parts.seal", "config.parts.turn_months"]
# Months for which outcomes are kept besides this one; 0 is for ever (C-25). The owner's is used.
AUTONOMY_OUTCOME_MONTHS = int(environment.number("AUTONOMY_OUTCOME_MONTHS", 24))
# Seconds in which what an outcome says of a node and a skill loses half its weight (D-12).
AUTONOMY_SCORE_HALF_LIFE = environment.number("AUTONOMY_SCORE_HALF_LIFE", 1800)
# Days for which passes of the engine and checked predictions are kept (D-20).
AUTONOMY_PASS_DAYS = environment.number("AUTONOMY_PASS_DAYS", 30)

CELERY_APP = "config.celery.app"
