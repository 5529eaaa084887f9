"""The secrets of an installation: made at its first start, each in a file of its own."""

import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from console.host.errors import HomeUnusable
from console.host.home import Home, explained

NAMES = (
    "secret.key",
    "postgres.password",
    "owner.password",
    "app.password",
    "reader.password",
    "verifier.password",
    "valkey.password",
    "flower.password",
    "operator.password",
    "operator.token",
)
_SHOWN = "operator.shown"


class Secrets(Mapping[str, str]):
    """The secrets of one home, by name."""

    def __init__(self, home: Home) -> None:
        self._folder = home.secrets

    def __getitem__(self, name: str) -> str:
        try:
            return (self._folder / name).read_text().strip()
        except FileNotFoundError:
            raise KeyError(name) from None
        except PermissionError:
            raise HomeUnusable(
                f"{self._folder / name} belongs to another user",
                "run the command as the user who started the platform",
            ) from None

    def __iter__(self) -> Iterator[str]:
        return (name for name in NAMES if (self._folder / name).exists())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def make(self) -> None:
        """Make those that are missing; none is ever written over."""
        with explained(self._folder):
            for name in NAMES:
                _write_once(self._folder / name, secrets.token_urlsafe(32))

    def first_password(self) -> str | None:
        """The first operator's password, the first time it is asked for."""
        shown = self._folder / _SHOWN
        if shown.exists():
            return None
        _write_once(shown, "the password was shown")
        return self["operator.password"]


def _write_once(path: Path, value: str) -> None:
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, unlike a rename, never takes the place of a secret that is there.
        path.hardlink_to(fresh)
    except FileExistsError:
        return
    finally:
        fresh.unlink()
