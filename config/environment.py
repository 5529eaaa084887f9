"""Settings from the environment, checked when they are read (O-3).

`X_FILE` names a file that holds X, for secrets that should not stand in an environment.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import ParseResult, unquote, urlparse


class BadSetting(Exception):
    """A setting that cannot be used; the message says how to mend it."""


def text(name: str, default: str = "") -> str:
    """The setting, or what stands in the file that `NAME_FILE` names."""
    if file := os.environ.get(f"{name}_FILE"):
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE={file} cannot be read: {error.strerror}") from None
    return os.environ.get(name, default)


def number(name: str, default: float) -> float:
    """A number; raises BadSetting for anything else."""
    given = text(name)
    try:
        return float(given) if given else default
    except ValueError:
        raise BadSetting(f"{name}={given!r} is not a number") from None


def switch(name: str) -> bool:
    """`on` or `off`, which it is where nothing is said; raises BadSetting for anything else."""
    given = text(name).strip().lower() or "off"
    if given not in ("on", "off"):
        raise BadSetting(f"{name}={given!r} is neither on nor off")
    return given == "on"


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def database(url: str) -> dict[str, Any]:
    """Django's form of `postgresql://user:password@host:port/name`; raises BadSetting."""
    parts = _parsed("DATABASE_URL", url, ("postgres", "postgresql"))
    name = parts.path.lstrip("/")
    if not name:
        raise BadSetting("DATABASE_URL names no database; add /NAME at its end")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(name),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
    }


def _parsed(name: str, url: str, schemes: tuple[str, ...]) -> ParseResult:
    try:
        parts = urlparse(url)
        _ = parts.port
    except ValueError as error:
        raise BadSetting(f"{name} cannot be read: {error}") from None
    if parts.scheme not in schemes:
        raise BadSetting(
            f"{name} must start with {schemes[-1]}://, not {parts.scheme or url[:12]!r}"
        )
    return parts
