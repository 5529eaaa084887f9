"""The store of artifacts: files by their hash, written once (C-17)."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autonomy.tasks.services.sessions import Kept

MAX_FILES = 200
MAX_NAME = 200
_CHUNK = 1 << 20


class ArtifactStore:
    """Content-addressed files under one folder: `ab/cdef…`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, folder: Path) -> list[Kept]:
        """Copy the regular files of a folder into the store; links and devices are left out.

        The folder was written by a session: nothing in it is followed or trusted.
        """
        return [self._keep(folder, name) for name in _regular_files(folder)]

    def place(self, sha256: str, target: Path) -> Path:
        """Copy a kept file to `target`, readable for whichever user a session runs as."""
        missing = [folder for folder in target.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            folder.chmod(0o755)
        shutil.copyfile(self.path(sha256), target)
        target.chmod(0o644)
        return target

    def path(self, sha256: str) -> Path:
        """Where the bytes of a hash are."""
        return self.root / sha256[:2] / sha256[2:]

    def _keep(self, folder: Path, name: str) -> Kept:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        source = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        digest, size = hashlib.sha256(), 0
        with (
            os.fdopen(source, "rb") as reader,
            tempfile.NamedTemporaryFile(dir=self.root, delete=False) as writer,
        ):
            while chunk := reader.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
        target = self.path(digest.hexdigest())
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(writer.name).replace(target)
        return Kept(name=name, sha256=digest.hexdigest(), size=size)


def _regular_files(folder: Path) -> Iterator[str]:
    """Names relative to the folder, in order, at most MAX_FILES."""
    found = 0
    for parent, folders, names in os.walk(folder, followlinks=False):
        depth = len(str(Path(parent).relative_to(folder)))
        folders[:] = sorted(name for name in folders if depth + len(name) < MAX_NAME)
        for name in sorted(names):
            path = Path(parent, name)
            relative = str(path.relative_to(folder))
            if not (_is_regular(path) and _is_name(relative)):
                continue
            found += 1
            if found > MAX_FILES:
                return
            yield relative


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _is_name(relative: str) -> bool:
    """Whether the name can be kept and shown: one that is no text is nobody's."""
    return len(relative) <= MAX_NAME and relative.isprintable()
