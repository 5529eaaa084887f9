"""The environment of every process of an installation, made in one place."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.host.connections import Connections, setting
from console.host.errors import HomeUnusable, NotRunning, SettingRefused
from console.host.home import CHECKOUT, Home, write_private
from console.host.secrets import Secrets

LOADED = "AUTONOMY_LOADED"
"""Names the home whose environment this is, in every process of the platform."""

_KEPT = "environment.json"
_NODE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_OF_SET_UP = ("AUTONOMY_APP_URL", "AUTONOMY_OPERATOR_PASSWORD", "AUTONOMY_OPERATOR_TOKEN")

_given: dict[str, str] = {}


def given() -> dict[str, str]:
    """The environment as the person set it, `.env` included, whatever `load` has put over it."""
    return read_dotenv(CHECKOUT / ".env") | (_given or dict(os.environ))


def node_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The nodes of this machine."""
    text = environ.get("AUTONOMY_NODES") or "n1,n2,n3"
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if not _NODE_NAME.fullmatch(name):
            raise SettingRefused(
                f"AUTONOMY_NODES: {name!r} cannot be the name of a node",
                "use small letters, digits, - and _, at most 40, such as AUTONOMY_NODES=n1,n2",
            )
    return names


def settings_of(home: Home, environ: Mapping[str, str], uses: Connections) -> dict[str, str]:
    """The settings that an installation adds to what the person set."""
    return uses.settings() | {
        "SECRET_KEY": setting(environ, "SECRET_KEY") or Secrets(home)["secret.key"],
        "AUTONOMY_HOME": str(home.path),
        "AUTONOMY_WORK": environ.get("AUTONOMY_WORK") or str(home.work),
        "AUTONOMY_SKILLS": environ.get("AUTONOMY_SKILLS", ""),
        LOADED: str(home.path),
    }


# The admin and its like are loaded only where they are shown, or where their tables are made.
_WITH_PAGES = frozenset({"web", "command", "prepare"})


def environment_of(
    process: str, environ: Mapping[str, str], settings: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of one process."""
    module = "config.settings" if process in _WITH_PAGES else "config.headless"
    ours = dict(settings) | {"DJANGO_SETTINGS_MODULE": module, "PYTHONUNBUFFERED": "1"}
    if process == "flower":
        del ours["DJANGO_SETTINGS_MODULE"]  # with it, Celery would load all of Django
    if process in node_names(environ):
        ours["AUTONOMY_NODE"] = process
    # A setting and the file it would be read from never stand beside each other.
    dropped = {*_OF_SET_UP, *(f"{name}_FILE" for name in (*ours, *_OF_SET_UP))}
    return {name: value for name, value in environ.items() if name not in dropped} | ours


def keep(home: Home, settings: Mapping[str, str], *, embedded: bool) -> None:
    """Remember the settings for commands that come from elsewhere."""
    write_private(home.run / _KEPT, {"settings": dict(settings), "embedded": embedded})


def known(home: Home) -> dict[str, str]:
    """The settings of the last start; none before the first."""
    kept = _kept(home)
    return dict(kept["settings"]) if kept else {}


def load(path: Path | None = None) -> None:
    """Put the environment of an installation into this process, before Django is set up."""
    home = Home.of(os.environ, path)
    if os.environ.get(LOADED) == str(home.path):
        return
    before = given()
    settings = _usable(home, before)
    _given.clear()
    _given.update(before)
    os.environ.clear()
    os.environ.update(environment_of("command", before, settings))


def _usable(home: Home, before: Mapping[str, str]) -> dict[str, str]:
    kept = _kept(home)
    if kept is None:
        if not (setting(before, "DATABASE_URL") and setting(before, "SECRET_KEY")):
            raise NotRunning(
                f"the platform was never started on {home.path}",
                "start it with `autonomy up`, or name its home in AUTONOMY_HOME",
            )
        return {LOADED: str(home.path), "AUTONOMY_HOME": str(home.path)}
    if kept["embedded"] and not home.is_locked():
        raise NotRunning(
            f"the platform on {home.path} does not run, and its PostgreSQL with it",
            "start it with `autonomy up`",
        )
    return dict(kept["settings"])


def _kept(home: Home) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] = json.loads((home.run / _KEPT).read_text())
    except FileNotFoundError:
        return None
    except PermissionError:
        raise HomeUnusable(
            f"{home.path} belongs to another user",
            "run the command as the user who started the platform",
        ) from None
    return kept


def read_dotenv(file: Path) -> dict[str, str]:
    """The settings in a file of lines `NAME=value`; none where there is no file."""
    if not file.is_file():
        return {}
    found = {}
    for line in file.read_text().splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found
