"""Files that sessions left, read from wherever they are kept; what is read is what was kept."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from django.core.files.storage import Storage, storages

ALIAS = "artifacts"
LARGEST_IN_MEMORY = 1_000_000
_CHUNK = 1 << 20


class MissingArtifact(FileNotFoundError):
    """No file of this hash is kept: it was removed, or is on another node."""


class DamagedArtifact(OSError):
    """What is kept under a hash is something else by now."""


class StorageAway(OSError):
    """Where artifacts are kept cannot be reached."""


def storage() -> Storage:
    """Where artifacts are kept, as the settings say."""
    return storages[ALIAS]


def name_of(sha256: str) -> str:
    """Under which name a storage has the file of a hash."""
    return f"{sha256[:2]}/{sha256[2:]}"


@contextmanager
def reached() -> Iterator[None]:
    """Turn what a storage raises, each its own errors, into OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise StorageAway(f"the storage of artifacts: {type(error).__name__}: {error}") from error


def copy(sha256: str, to: IO[bytes], *, kept_in: Storage | None = None) -> None:
    """Write a kept file somewhere; raises MissingArtifact, DamagedArtifact or StorageAway."""
    digest = hashlib.sha256()
    try:
        with reached(), (kept_in or storage()).open(name_of(sha256)) as kept:
            for chunk in kept.chunks(_CHUNK):
                digest.update(chunk)
                to.write(chunk)
    except FileNotFoundError:
        raise MissingArtifact(f"no artifact {sha256} is kept here") from None
    if digest.hexdigest() != sha256:
        raise DamagedArtifact(f"artifact {sha256} is damaged: it is {digest.hexdigest()} now")


def opened(sha256: str) -> IO[bytes]:
    """A kept file, ready to be read; raises as `copy` does."""
    file = tempfile.SpooledTemporaryFile(max_size=LARGEST_IN_MEMORY)  # noqa: SIM115 -- the caller's
    try:
        copy(sha256, file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file
