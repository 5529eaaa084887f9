"""The way from a shell into the platform: the installation's environment, then the person."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import django

from console.host.home import Home

if TYPE_CHECKING:
    from django.contrib.auth.models import User

VARIABLE = "AUTONOMY_TOKEN"


class NoToken(Exception):
    """Nothing says who asks; the message says where a token is looked for."""


class NotPermitted(Exception):
    """The person may not do this; the message names the permission."""


def home() -> Home:
    """The installation this command is about: `--home`, AUTONOMY_HOME, or the default."""
    return Home.of(os.environ)


def enter() -> None:
    """Make services and selectors usable against this installation's database."""
    from console.host import environment

    environment.load(home().path)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()


def person(permission: str = "") -> "User":
    """Who asks, by the personal token; raises NoToken, TokenRefused or NotPermitted."""
    from console.services import person_of

    found = person_of(_token(home().secrets / "operator.token"))
    if permission and not found.has_perm(permission):
        raise NotPermitted(f"{found.username} lacks the permission {permission}")
    return found


def _token(kept: Path) -> str:
    if token := os.environ.get(VARIABLE, "").strip():
        return token
    try:
        return kept.read_text().strip()
    except OSError as error:
        raise NoToken(
            f"{VARIABLE} is not set and {kept} cannot be read: {error.strerror}"
        ) from None
