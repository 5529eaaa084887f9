"""What the folders of a session hold, and its shared memory, counted a little at a time."""

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

_SHARED_MEMORY = "/dev/shm"  # noqa: S108 -- only compared
_BLOCK = 512
_AT_ONCE = 500
_TURN_SECONDS = 0.02
_PAUSE_SECONDS = 0.2
_SHARE = 20
"""A walk is repeated when twenty times as long as it took has passed."""


class Disk:
    """The folders of one session, and how much they may hold."""

    def __init__(self, folders: Iterable[str], most_bytes: int, *, pid: int = 0) -> None:
        """Of a session whose first process is `pid`, where it has shared memory of its own."""
        self._pid = pid
        self._folders = [folder for folder in folders if folder]
        self._most_bytes = most_bytes
        self._walk: Iterator[int] = iter(())
        self._found = 0
        self._spent = 0.0
        self._next_at = 0.0

    def crossed(self, now: float, pids: Iterable[int]) -> str:
        """In which way the session holds too much; empty while it does not."""
        if now < self._next_at:
            return ""
        begun = time.monotonic()
        try:
            whole = self._on()
        except OSError as error:
            return f"its folders cannot be measured: {error.strerror}"
        self._spent += time.monotonic() - begun
        if whole:
            held, self._found = self._found + _deleted(pids), 0
            self._next_at = now + max(_PAUSE_SECONDS, _SHARE * self._spent)
            self._walk, self._spent = _sizes([*self._folders, *_memory_of(self._pid)]), 0.0
        else:
            held = self._found
        if held > self._most_bytes:
            return f"{held} bytes on disk; {self._most_bytes} are allowed"
        return ""

    def _on(self) -> bool:
        """Count some more; whether all was counted."""
        until = time.monotonic() + _TURN_SECONDS
        while time.monotonic() < until:
            sizes = list(islice(self._walk, _AT_ONCE))
            self._found += sum(sizes)
            if len(sizes) < _AT_ONCE:
                return True
        return False


def _memory_of(pid: int) -> list[str]:
    """Where the session sees its shared memory, unless that is still the machine's."""
    if not pid:
        return []
    place = f"/proc/{pid}/root{_SHARED_MEMORY}"
    try:
        own = os.stat(place).st_dev != os.stat(_SHARED_MEMORY).st_dev  # noqa: PTH116
    except OSError:  # it has ended, or the machine has none
        return []
    return [place] if own else []


def _sizes(folders: list[str]) -> Iterator[int]:
    """The size of everything in the folders. What vanishes meanwhile is not counted."""
    waiting = list(folders)
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    yield _size(entry)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return max(_BLOCK, entry.stat(follow_symlinks=False).st_blocks * _BLOCK)
    except FileNotFoundError:
        return 0


def _deleted(pids: Iterable[int]) -> int:
    """The size of files that have no name any more and are still open."""
    found: dict[tuple[int, int], int] = {}
    for pid in pids:
        for seen in _open_files(pid):
            if stat.S_ISREG(seen.st_mode) and seen.st_nlink == 0:
                found[seen.st_dev, seen.st_ino] = seen.st_blocks * _BLOCK
    return sum(found.values())


def _open_files(pid: int) -> Iterator[os.stat_result]:
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            yield descriptor.stat()
    except OSError:  # it ended while it was looked at
        return
