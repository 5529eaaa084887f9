"""What sessions leave: files by their hash, on a node or in a store for all (C-17)."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from django.core.files.base import File
from django.core.files.storage import Storage

from autonomy.domain.redaction import Redactor, Scan
from autonomy.tasks.selectors.artifacts import copy, name_of, reached
from autonomy.tasks.services.sessions import Kept

MAX_FILES = 200
MAX_NAME = 200
_CHUNK = 1 << 20


@dataclass
class Left:
    """The files of a session that are kept, and those that may not be."""

    kept: list[Kept] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)

    def words(self) -> str:
        """What is said of it behind the session's output."""
        return "".join(f"[{name} holds a secret and is not kept]\n" for name in self.withheld)


class ArtifactStore:
    """Files by their hash on one storage: `ab/cdef…`."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def keep(self, folder: Path, known: Redactor) -> Left:
        """Copy the regular files of a folder into the store; links and devices are left out.

        The folder was written by a session: nothing in it is followed or trusted.
        """
        left = Left()
        for name in _regular_files(folder):
            kept = self._keep(folder, name, Scan(known))
            if kept:
                left.kept.append(kept)
            else:
                left.withheld.append(name)
        return left

    def place(self, sha256: str, target: Path) -> Path:
        """Copy a kept file to `target`, readable for whichever user a session runs as."""
        missing = [folder for folder in target.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            folder.chmod(0o755)
        with target.open("wb") as file:
            copy(sha256, file, kept_in=self.storage)
        target.chmod(0o644)
        return target

    def path(self, sha256: str) -> Path:
        """Where the bytes of a hash are, on a storage that is a folder."""
        return Path(self.storage.path(name_of(sha256)))

    def _keep(self, folder: Path, name: str, secrets: Scan) -> Kept | None:
        """What was kept of one file; None for one that holds a secret."""
        source = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(source, "rb") as reader, tempfile.TemporaryFile() as spool:
            digest, size = _spooled(reader, spool, secrets)
            if secrets.found:
                return None
            spool.seek(0)
            with reached():
                self.storage.save(name_of(digest), File(spool, name_of(digest)))
        return Kept(name=name, sha256=digest, size=size)


def _spooled(reader: IO[bytes], spool: IO[bytes], secrets: Scan) -> tuple[str, int]:
    """Copied once, so that what is hashed is what is kept; the hash and the size."""
    digest, size = hashlib.sha256(), 0
    while chunk := reader.read(_CHUNK):
        digest.update(chunk)
        secrets.feed(chunk)
        spool.write(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


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
