"""The files that come with a skill file: read once, so that what was read is what runs."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from autonomy.skillfiles.errors import FileTooLarge, WrongValue

MOST_FILES = 20
MOST_BYTES = 1_000_000


def attached(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """The named files, by name; raises BadSkillFile."""
    if len(names) > MOST_FILES:
        raise FileTooLarge(f"more than {MOST_FILES} files", at=("files",))
    found: dict[str, bytes] = {}
    for number, name in enumerate(names):
        at = ("files", number)
        _check_name(name, at)
        try:
            found[name] = _content(folder, name, at)
        except OSError as error:
            raise WrongValue(f"{name} cannot be read: {error.strerror}", at=at) from None
    if sum(map(len, found.values())) > MOST_BYTES:
        raise FileTooLarge(f"its files have more than {MOST_BYTES} bytes", at=("files",))
    return found


def version_of(content: bytes, files: Mapping[str, bytes]) -> str:
    """A hash over the file and those that come with it."""
    digest = hashlib.sha256(content)
    for name, more in sorted(files.items()):
        digest.update(b"\0" + name.encode() + b"\0" + hashlib.sha256(more).digest())
    return digest.hexdigest()[:16]


def _check_name(name: str, at: tuple[str | int, ...]) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not name.isprintable() or name == ".":
        raise WrongValue(f"{name!r} is no file beside this one; name one that is", at=at)


def _content(folder: Path, name: str, at: tuple[str | int, ...]) -> bytes:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise WrongValue(f"{name} is a link that leads elsewhere; copy the file", at=at)
    if path.stat().st_size > MOST_BYTES:
        raise FileTooLarge(f"{name} has more than {MOST_BYTES} bytes", at=at)
    return path.read_bytes()
