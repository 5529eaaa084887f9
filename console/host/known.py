"""The secrets that this installation knows, so that none of them is stored or shown.

Every file in the folder of secrets is one: what an operator wants kept out of outputs and logs is
put there, in a file of any name.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import Lock

from autonomy.domain.redaction import Redactor
from console.host.connections import ROLE_SETTINGS, setting
from console.host.errors import SettingRefused
from console.host.urls import password_of

LOOKED_AT_EVERY = 1.0
LONGEST = 64_000
_URLS = ("DATABASE_URL", "REDIS_URL", "AUTONOMY_APP_URL", *ROLE_SETTINGS.values())
_WHOLE = ("SECRET_KEY", "AUTONOMY_TOKEN", "FLOWER_BASIC_AUTH", "AUTONOMY_ARTIFACTS_SECRET_KEY")
_NO_SECRETS = (".shown",)


class KnownSecrets:
    """What is in a folder of secrets, as it is now, and the values that settings name."""

    def __init__(self, folder: Path | None, values: Iterable[str] = ()) -> None:
        self._folder = folder
        self._values = frozenset(values)
        self._lock = Lock()
        self._look_at = 0.0
        self._seen: object = None
        self._redactor = Redactor()

    def current(self) -> Redactor:
        """Knows every secret that is there now; a change is noticed within a second."""
        with self._lock:
            now = time.monotonic()
            if now >= self._look_at:
                self._look_at = now + LOOKED_AT_EVERY
                self._look()
            return self._redactor

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self.current().text(text)

    def _look(self) -> None:
        files = dict(_files(self._folder)) if self._folder else {}
        if files != self._seen:
            self._seen = files
            self._redactor = Redactor(self._values | set(map(_content, files)))


def known_secrets(environ: Mapping[str, str], folder: Path | None = None) -> KnownSecrets:
    """The secrets of an installation: of its folder and of the settings in an environment."""
    return KnownSecrets(folder, filter(None, _in_settings(environ)))


def _in_settings(environ: Mapping[str, str]) -> Iterator[str]:
    for name in (*_URLS, *_WHOLE):
        try:
            value = setting(environ, name)
        except SettingRefused:  # told where the setting is used
            continue
        yield password_of(value) if name in _URLS else value


def _files(folder: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    """The files of secrets, each with what changes when it is written; none where none are ours."""
    try:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix not in _NO_SECRETS:
                found = path.stat()
                yield path, (found.st_mtime_ns, found.st_size)
    except OSError:  # another account's, or being changed: the next look is in a second
        return


def _content(path: Path) -> str:
    try:
        with path.open(errors="surrogateescape") as file:
            return file.read(LONGEST).strip()
    except OSError:  # gone since it was listed
        return ""
