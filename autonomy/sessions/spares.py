"""Folders that a session left as it found them: they are as good as new, and serve the next one.

To make a folder and to remove it is dear where sessions are many: ext4 does not use the place of a
removed one again for a minute or more, and looks past all of them each time.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Folders = Sequence[Path]
"""Those that go together."""

Trace = tuple[int, ...]
"""What changes with whatever is done to a folder."""

_MOST_SPARE = 64
_marks: Callable[[Path], list[str]] = getattr(os, "listxattr", lambda _: [])


class Spares:
    """Empty folders, each fit for one kind of session, such as those of a user."""

    def __init__(self) -> None:
        self._spare: list[tuple[object, Folders]] = []
        self._given: dict[Path, list[Trace]] = {}

    def take(self, kind: object) -> Folders:
        """Folders of this kind that nobody has touched; none where there are none."""
        for place, (fit_for, folders) in enumerate(self._spare):
            if fit_for == kind:
                del self._spare[place]
                untouched = self._is_untouched(folders)
                self.lose(folders)
                return folders if untouched else ()
        return ()

    def given(self, folders: Folders) -> None:
        """Remember how these are, before a session gets them."""
        self._given[folders[0]] = [_trace(folder) for folder in folders]

    def lose(self, folders: Folders) -> None:
        """They will not be given back."""
        self._given.pop(folders[0], None)

    def give_back(self, kind: object, folders: Folders) -> Folders:
        """Keep them for another session; answers what has to be removed: these, or older ones."""
        if not self._is_untouched(folders):
            self.lose(folders)
            return folders
        self._spare.append((kind, folders))
        return self._oldest() if len(self._spare) > _MOST_SPARE else ()

    def forget(self) -> Iterator[Folders]:
        """All that are kept, to be removed."""
        while self._spare:
            yield self._oldest()

    def _oldest(self) -> Folders:
        _, folders = self._spare.pop(0)
        del self._given[folders[0]]
        return folders

    def _is_untouched(self, folders: Folders) -> bool:
        before = self._given.get(folders[0])
        try:
            if before != [_trace(folder) for folder in folders]:
                return False
            return not any(any(folder.iterdir()) or _marks(folder) for folder in folders)
        except OSError:  # it is gone, or closed
            return False


def _trace(folder: Path) -> Trace:
    """Times alone could miss a change within one tick of the kernel's clock."""
    seen = folder.lstat()
    return seen.st_ino, seen.st_mode, seen.st_uid, seen.st_gid, seen.st_nlink, seen.st_ctime_ns
