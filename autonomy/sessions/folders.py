"""The folders of sessions: made fresh and private, removed whatever is in them (C-17)."""

import os
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

_MOST_PASSES = 1_000_000
_AT_ONCE = 10_000
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class NotRemoved(Exception):
    """Something in the folder cannot be removed."""


def fresh(path: Path, *, uid: int | None = None) -> Path:
    """A new, empty folder that only its owner can enter; raises FileExistsError."""
    path.mkdir(mode=0o700, parents=True)
    if uid is not None:
        os.chown(path, uid, -1)
    return path


def remove(path: Path) -> None:
    """Remove a folder and all in it, however deep, closed or full; raises NotRemoved.

    Nobody may be at work in it any more. Folders are lifted to the top before they are emptied,
    so that no depth can exhaust names, descriptors or the stack.
    """
    try:
        top = _opened(str(path))
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotRemoved(f"{path}: {error}") from None
    try:
        _empty(top)
        path.rmdir()
    except OSError as error:
        raise NotRemoved(f"{path}: {error}") from None
    finally:
        os.close(top)


def _empty(top: int) -> None:
    names = (f".lifted-{number}" for number in count())
    for _ in range(_MOST_PASSES):
        found = _entries(top)
        if not found:
            return
        for name, is_folder in found:
            if is_folder:
                _lift(top, name, names)
            else:
                os.unlink(name, dir_fd=top)


def _lift(top: int, name: str, names: Iterator[str]) -> None:
    """Remove one folder; what it holds is removed, or lifted to the top if it is a folder too."""
    folder = _opened(name, top)
    try:
        for inner, is_folder in _entries(folder):
            if not is_folder:
                os.unlink(inner, dir_fd=folder)
                continue
            os.close(_opened(inner, folder))  # a closed folder cannot be moved by its owner
            os.rename(inner, _free(top, names), src_dir_fd=folder, dst_dir_fd=top)
        if not _entries(folder):
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(folder)


def _free(top: int, names: Iterator[str]) -> str:
    """A name that nobody has taken."""
    for name in names:
        try:
            os.lstat(name, dir_fd=top)
        except FileNotFoundError:
            return name
    raise AssertionError("names never end")


def _opened(name: str, within: int | None = None) -> int:
    """The folder, opened to its owner first."""
    try:
        return _writable(os.open(name, _OPEN, dir_fd=within))
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=within)
        return os.open(name, _OPEN, dir_fd=within)


def _writable(fd: int) -> int:
    if os.fstat(fd).st_mode & 0o700 != 0o700:
        os.fchmod(fd, 0o700)
    return fd


def _entries(folder: int) -> list[tuple[str, bool]]:
    with os.scandir(folder) as entries:
        return [(e.name, e.is_dir(follow_symlinks=False)) for e in islice(entries, _AT_ONCE)]
