"""Unpacking what others packed: files and folders that stay inside, and nothing else.

`tarfile` has a filter for this only since Python 3.11.4, and Debian 12 has 3.11.2.
"""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

MOST_BYTES = 1_000_000_000
MOST_FILES = 100_000


class BadArchive(Exception):
    """The archive wants to write where it must not, or more than is allowed, or is damaged."""


def unpack(archive: Path, into: Path) -> None:
    """Unpack files and folders; links and devices are left out. Raises BadArchive."""
    size = count = 0
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                size, count = size + member.size, count + 1
                if size > MOST_BYTES or count > MOST_FILES:
                    raise BadArchive(
                        f"it unpacks to more than {MOST_BYTES} bytes or {MOST_FILES} files"
                    )
                _write(tar, member, into / _inside(member.name))
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise BadArchive(f"it cannot be unpacked: {error}") from None


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BadArchive(f"{name!r} leads out of the folder")
    return path


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
    elif member.isreg():
        target.parent.mkdir(parents=True, exist_ok=True)
        content = tar.extractfile(member)
        assert content is not None  # noqa: S101 -- a regular member has content
        with content, target.open("wb") as file:
            shutil.copyfileobj(content, file)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)
